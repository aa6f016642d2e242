# What is yours. Nothing here may be production: names and tags that say so are refused, as firedrill refuses them.

variable "account_id" {
  type        = string
  description = "The staging account: twelve digits."

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account is twelve digits, in quotes."
  }
}

variable "region" {
  type        = string
  description = "Where the drills' targets are."

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is written like eu-west-1."
  }
}

variable "environment" {
  type        = string
  default     = "staging"
  description = "The environment's name in firedrill.yaml."

  validation {
    condition     = can(regex("^[a-z0-9-]+$", var.environment))
    error_message = "An environment's name has lower-case letters, digits and dashes."
  }

  validation {
    condition     = length(setintersection([for word in regexall("\\p{L}+", var.environment) : lower(word)], ["prod", "prd", "production", "live"])) == 0
    error_message = "This environment is named like production. Nothing is drilled there."
  }
}

variable "tags" {
  type        = map(string)
  default     = { environment = "staging", firedrill = "allowed" }
  description = "What every target carries: the same as tags in firedrill.yaml."

  validation {
    condition     = length(var.tags) > 0
    error_message = "Without tags everything in the account would be a target."
  }

  validation {
    condition     = length(setintersection([for word in flatten([for value in values(var.tags) : regexall("\\p{L}+", value)]) : lower(word)], ["prod", "prd", "production", "live"])) == 0
    error_message = "A tag says production. Nothing is drilled there."
  }
}

variable "table" {
  type        = string
  description = "The on-demand DynamoDB table."
}

variable "tag_table" {
  type        = bool
  default     = false
  description = "Tag the table from here: only where no Terraform of yours makes it, or the two would undo each other."
}

variable "queue" {
  type        = string
  description = "The standard SQS queue that feeds the Lambda function."
}

variable "dead_letter_queue" {
  type        = string
  description = "The queue to which its redrive policy sends what could not be digested."
}

variable "load_balancer" {
  type        = string
  description = "The Application Load Balancer in front of the ECS service, by name."
}

variable "listener_port" {
  type        = number
  default     = 443
  description = "The port of its listener."
}

variable "service_url" {
  type        = string
  description = "Where the service is reached from where drills run, without a slash at the end."

  validation {
    condition     = can(regex("^https?://[^/]+$", var.service_url))
    error_message = "Try: https://orders.staging.example.com"
  }
}

variable "pagerduty_cloudwatch_key" {
  type        = string
  sensitive   = true
  description = "Integration key of an AWS CloudWatch integration on the team's PagerDuty service."

  validation {
    condition     = can(regex("^[0-9A-Za-z]{32}$", var.pagerduty_cloudwatch_key))
    error_message = "An integration key has 32 letters and digits."
  }
}

variable "pagerduty_events_host" {
  type        = string
  default     = "events.pagerduty.com"
  description = "events.eu.pagerduty.com for an account of the EU region."

  validation {
    condition     = contains(["events.pagerduty.com", "events.eu.pagerduty.com"], var.pagerduty_events_host)
    error_message = "PagerDuty has two: events.pagerduty.com and events.eu.pagerduty.com."
  }
}

variable "github_provider" {
  type        = bool
  default     = true
  description = "Make GitHub's identity provider; false where the account has it already, for there can be one only."
}
