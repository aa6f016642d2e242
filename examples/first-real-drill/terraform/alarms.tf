# One alarm for each drill. All of them tell the topic when they ring and when they are OK again: PagerDuty resolves its
# incident by the second. Missing data is no breach: DynamoDB tells of throttling only while there is some, and an alarm
# that ignores missing data would ring for ever.

resource "aws_cloudwatch_metric_alarm" "write_throttled" {
  alarm_name          = "orders-write-throttled"
  alarm_description   = "Writes of ${var.table} are throttled"
  namespace           = "AWS/DynamoDB"
  metric_name         = "WriteThrottleEvents"
  dimensions          = { TableName = var.table }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.on_call.arn]
  ok_actions          = [aws_sns_topic.on_call.arn]
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "orders-dead-letters"
  alarm_description   = "Orders that nobody could read, in ${var.dead_letter_queue}"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.dead_letter_queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.on_call.arn]
  ok_actions          = [aws_sns_topic.on_call.arn]
}

# The balancer's own errors, not those of its targets: a fixed response moves these alone.
resource "aws_cloudwatch_metric_alarm" "balancer_errors" {
  alarm_name          = "orders-balancer-5xx"
  alarm_description   = "${var.load_balancer} answers with errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_ELB_5XX_Count"
  dimensions          = { LoadBalancer = data.aws_lb.target.arn_suffix }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.on_call.arn]
  ok_actions          = [aws_sns_topic.on_call.arn]
}
