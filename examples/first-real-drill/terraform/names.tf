# Names that stand in firedrill.yaml too.

locals {
  role         = "firedrill"
  deadman_role = "firedrill-deadman"
  deadman_dlq  = "firedrill-deadman-dlq"
  journal      = "firedrill"

  names = {
    account      = var.account_id
    region       = var.region
    environment  = var.environment
    tags         = var.tags
    role         = "arn:aws:iam::${var.account_id}:role/${local.role}"
    deadman_role = "arn:aws:iam::${var.account_id}:role/${local.deadman_role}"
    deadman_dlq  = "arn:aws:sqs:${var.region}:${var.account_id}:${local.deadman_dlq}"
    journal      = local.journal
    table        = var.table
    queue        = var.queue
    service_url  = var.service_url
  }
}
