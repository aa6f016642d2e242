# When a runner dies and nobody recovers, EventBridge Scheduler puts back as the role firedrill-deadman (roles.tf), in the
# schedule group that every account has. A call of it that fails for good ends up here, and somebody hears of it.

resource "aws_sqs_queue" "deadman" {
  name                      = local.deadman_dlq
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_cloudwatch_metric_alarm" "deadman_failed" {
  alarm_name          = "firedrill-deadman-failed"
  alarm_description   = "The dead-man's switch of a drill could not put something back: firedrill status --env ${var.environment}"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.deadman.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.on_call.arn]
  ok_actions          = [aws_sns_topic.on_call.arn]
}
