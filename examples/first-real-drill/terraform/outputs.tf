# terraform output -raw firedrill_yaml > ../firedrill.yaml

output "firedrill_yaml" {
  description = "The environment file: who is paged, and when, is yours to fill in."
  value       = templatefile("${path.module}/firedrill.yaml.tftpl", merge(local.names, { listener = data.aws_lb_listener.target.arn }))
}

output "journal" {
  description = "ARN of the journal's table."
  value       = aws_dynamodb_table.journal.arn
}

output "on_call_topic" {
  description = "ARN of the topic that tells PagerDuty: give it to alarms of yours."
  value       = aws_sns_topic.on_call.arn
}
