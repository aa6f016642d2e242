# CloudWatch tells the topic, the topic tells PagerDuty. PagerDuty confirms the subscription itself; raw delivery stays
# off, for it reads the envelope.

resource "aws_sns_topic" "on_call" {
  name = "orders-on-call"
}

resource "aws_sns_topic_subscription" "pagerduty" {
  topic_arn              = aws_sns_topic.on_call.arn
  protocol               = "https"
  endpoint               = "https://${var.pagerduty_events_host}/integration/${var.pagerduty_cloudwatch_key}/enqueue"
  endpoint_auto_confirms = true
  raw_message_delivery   = false
}

# Alarms of this account may speak there, and nobody else.
resource "aws_sns_topic_policy" "on_call" {
  arn    = aws_sns_topic.on_call.arn
  policy = data.aws_iam_policy_document.on_call.json
}

data "aws_iam_policy_document" "on_call" {
  statement {
    sid       = "Alarms"
    effect    = "Allow"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.on_call.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}
