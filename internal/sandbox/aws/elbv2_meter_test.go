package aws

import (
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// What queues and load balancers measure arrives in CloudWatch under the names that alarms watch.
func TestQueuesAndBalancersTellCloudWatch(t *testing.T) {
	cloud, address := testCloud(t, Options{Now: time.Now, Tick: 20 * time.Millisecond, RulePropagation: -1})
	q := &queueTest{T: t, cloud: cloud, url: address}
	q.api = q.as("other")
	q.send(q.create("orders-dlq"), "dead")

	b := &balancerTest{T: t, cloud: q.cloud, clock: newTestClock(), api: elbsdk.NewFromConfig(testConfig(q.url, "other"))} //nolint:govet // its methods read T
	lb, err := b.api.CreateLoadBalancer(t.Context(), &elbsdk.CreateLoadBalancerInput{Name: ref("orders")})
	must(t, err)
	l, err := b.api.CreateListener(t.Context(), &elbsdk.CreateListenerInput{LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: "HTTP",
		Port: ref(int32(0)), DefaultActions: fixed("500", "text/plain", "")})
	must(t, err)
	url := "http://127.0.0.1:" + strconv.Itoa(int(*l.Listeners[0].Port))
	resp, err := http.Get(url)
	must(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()

	cw := cloudwatch.NewFromConfig(testConfig(q.url, "alarm"))
	highest := func(namespace, metric, dimension, value string) float64 {
		out, err := cw.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{Namespace: &namespace, MetricName: &metric,
			Dimensions: []cwtypes.Dimension{{Name: &dimension, Value: &value}}, Statistics: []cwtypes.Statistic{"Maximum"},
			StartTime: ref(time.Now().Add(-time.Minute)), EndTime: ref(time.Now().Add(time.Minute)), Period: ref(int32(60))})
		must(t, err)
		top := 0.0
		for _, p := range out.Datapoints {
			top = max(top, *p.Maximum)
		}
		return top
	}
	until(t, "the dead letter shows in CloudWatch", func() bool {
		return highest("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "orders-dlq") == 1
	})
	_, dimension, _ := cutLast(*lb.LoadBalancers[0].LoadBalancerArn, ":loadbalancer/")
	if got := highest("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", dimension); got != 1 {
		t.Errorf("HTTPCode_ELB_5XX_Count = %v, want 1", got)
	}
	if got := highest("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", dimension); got != 0 {
		t.Errorf("HTTPCode_Target_5XX_Count = %v: a fixed response must not move it", got)
	}
}
