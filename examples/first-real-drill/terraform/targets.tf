# What is broken in drills is there already. It is looked up here, and its tags are looked at.

data "aws_lb" "target" {
  name = var.load_balancer
}

data "aws_lb_listener" "target" {
  load_balancer_arn = data.aws_lb.target.arn
  port              = var.listener_port
}

data "aws_sqs_queue" "target" {
  name = var.queue
}

data "aws_sqs_queue" "dead_letters" {
  name = var.dead_letter_queue
}

data "aws_dynamodb_table" "target" {
  name = var.table
}

# The tags belong where the targets are made: whoever takes one away takes the target out of every drill. Only where no
# Terraform of yours makes the table, they can be set here.
resource "aws_dynamodb_tag" "target" {
  for_each = var.tag_table ? var.tags : {}

  resource_arn = data.aws_dynamodb_table.target.arn
  key          = each.key
  value        = each.value
}

check "table_is_tagged" {
  assert {
    condition     = alltrue([for key, value in var.tags : var.tag_table || lookup(data.aws_dynamodb_table.target.tags, key, "") == value])
    error_message = "The table does not carry the tags. Try: aws dynamodb tag-resource --resource-arn ${data.aws_dynamodb_table.target.arn} --tags ${join(" ", [for key, value in var.tags : "Key=${key},Value=${value}"])}"
  }
}

check "load_balancer_is_tagged" {
  assert {
    condition     = alltrue([for key, value in var.tags : lookup(data.aws_lb.target.tags, key, "") == value])
    error_message = "The balancer does not carry the tags. Try: aws elbv2 add-tags --resource-arns ${data.aws_lb.target.arn} --tags ${join(" ", [for key, value in var.tags : "Key=${key},Value=${value}"])}"
  }
}

check "queue_is_tagged" {
  assert {
    condition     = alltrue([for key, value in var.tags : lookup(data.aws_sqs_queue.target.tags, key, "") == value])
    error_message = "The queue does not carry the tags. Try: aws sqs tag-queue --queue-url ${data.aws_sqs_queue.target.url} --tags ${join(",", [for key, value in var.tags : "${key}=${value}"])}"
  }
}

check "dead_letter_queue_is_tagged" {
  assert {
    condition     = alltrue([for key, value in var.tags : lookup(data.aws_sqs_queue.dead_letters.tags, key, "") == value])
    error_message = "The dead-letter queue does not carry the tags. Try: aws sqs tag-queue --queue-url ${data.aws_sqs_queue.dead_letters.url} --tags ${join(",", [for key, value in var.tags : "${key}=${value}"])}"
  }
}
