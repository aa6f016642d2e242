# Written by firedrill policy, for orders-throttled, orders-unreadable, users-unreachable in staging.

# firedrill-staging-plan
# note: which queue takes the dead letters of orders stands in its redrive policy only
# note: AWS knows no resource for application-autoscaling:DescribeScalableTargets, cloudtrail:LookupEvents, cloudwatch:DescribeAlarms, cloudwatch:GetMetricData, cloudwatch:GetMetricStatistics, cloudwatch:ListAlarmMuteRules, elasticloadbalancing:DescribeListeners, elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeRules, elasticloadbalancing:DescribeTags, elasticloadbalancing:DescribeTargetGroups, elasticloadbalancing:DescribeTargetHealth, iam:ListAccountAliases, lambda:ListEventSourceMappings, scheduler:ListSchedules, sts:GetCallerIdentity, or none that has a name before it is asked: * stands there, in the environment's region alone where a call has one
# note: where the name is not known, the environment's tags narrow it: who takes them away from a target takes our way back, too
data "aws_iam_policy_document" "firedrill_staging_plan_trust" {
  statement {
    sid     = "TrustPipeline"
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:acme/orders:environment:staging"]
    }
  }

  statement {
    sid     = "Trust"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Staging_0123456789abcdef"]
    }
  }
}

resource "aws_iam_role" "firedrill_staging_plan" {
  name               = "firedrill-staging-plan"
  assume_role_policy = data.aws_iam_policy_document.firedrill_staging_plan_trust.json
}

data "aws_iam_policy_document" "firedrill_staging_plan" {
  statement {
    sid       = "ApplicationAutoscalingRead"
    effect    = "Allow"
    actions   = ["application-autoscaling:DescribeScalableTargets"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "CloudtrailWrite"
    effect    = "Allow"
    actions   = ["cloudtrail:LookupEvents"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "CloudwatchRead"
    effect    = "Allow"
    actions   = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListAlarmMuteRules"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "DynamodbRead"
    effect    = "Allow"
    actions   = ["dynamodb:Query"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/firedrill"]
  }

  statement {
    sid       = "DynamodbRead2"
    effect    = "Allow"
    actions   = ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "ElasticloadbalancingRead"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "FisRead"
    effect    = "Allow"
    actions   = ["fis:GetSafetyLever"]
    resources = ["arn:aws:fis:eu-west-1:123456789012:safety-lever/default"]
  }

  statement {
    sid       = "IamRead"
    effect    = "Allow"
    actions   = ["iam:ListAccountAliases"]
    resources = ["*"]
  }

  statement {
    sid       = "IamRead2"
    effect    = "Allow"
    actions   = ["iam:SimulatePrincipalPolicy"]
    resources = ["arn:aws:iam::123456789012:role/firedrill-staging-plan"]
  }

  statement {
    sid       = "LambdaRead"
    effect    = "Allow"
    actions   = ["lambda:ListEventSourceMappings"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "SchedulerRead"
    effect    = "Allow"
    actions   = ["scheduler:GetSchedule"]
    resources = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/firedrill-*"]
  }

  statement {
    sid       = "SchedulerRead2"
    effect    = "Allow"
    actions   = ["scheduler:ListSchedules"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "SqsRead"
    effect    = "Allow"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"]
  }

  statement {
    sid       = "SqsRead2"
    effect    = "Allow"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "StsRead"
    effect    = "Allow"
    actions   = ["sts:GetCallerIdentity"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverLoseData"
    effect    = "Deny"
    actions   = ["sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "dynamodb:DeleteTable", "dynamodb:DeleteBackup", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "sns:Unsubscribe", "sns:DeleteTopic", "sns:SetSubscriptionAttributes", "kinesis:DeleteStream", "kinesis:DecreaseStreamRetentionPeriod", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverSilence"
    effect    = "Deny"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState", "cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverTheirItems"
    effect    = "Deny"
    actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "NeverTheirKeys"
    effect    = "Deny"
    actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAnyValue:StringNotLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["firedrill/*", "-735560*", "ZmlyZWRyaWxsL*"]
    }
  }
}

resource "aws_iam_policy" "firedrill_staging_plan" {
  name   = "firedrill-staging-plan"
  policy = data.aws_iam_policy_document.firedrill_staging_plan.json
}

resource "aws_iam_role_policy_attachment" "firedrill_staging_plan" {
  role       = aws_iam_role.firedrill_staging_plan.name
  policy_arn = aws_iam_policy.firedrill_staging_plan.arn
}

# for whoever assumes it
data "aws_iam_policy_document" "firedrill_staging_plan_caller" {
  statement {
    sid       = "AssumeFiredrill"
    effect    = "Allow"
    actions   = ["sts:AssumeRole"]
    resources = ["arn:aws:iam::123456789012:role/firedrill-staging-plan"]
  }
}

# firedrill
# note: which queue takes the dead letters of orders stands in its redrive policy only
# note: AWS knows no resource for application-autoscaling:DescribeScalableTargets, application-autoscaling:RegisterScalableTarget, cloudtrail:LookupEvents, cloudwatch:DescribeAlarmHistory, cloudwatch:DescribeAlarms, cloudwatch:GetMetricData, cloudwatch:GetMetricStatistics, cloudwatch:ListAlarmMuteRules, elasticloadbalancing:DescribeListeners, elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeRules, elasticloadbalancing:DescribeTags, elasticloadbalancing:DescribeTargetGroups, elasticloadbalancing:DescribeTargetHealth, iam:ListAccountAliases, lambda:ListEventSourceMappings, scheduler:ListSchedules, sts:GetCallerIdentity, or none that has a name before it is asked: * stands there, in the environment's region alone where a call has one
# note: where the name is not known, the environment's tags narrow it: who takes them away from a target takes our way back, too
data "aws_iam_policy_document" "firedrill_trust" {
  statement {
    sid     = "TrustPipeline"
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:acme/orders:environment:staging-drills"]
    }
  }

  statement {
    sid     = "Trust"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Staging_0123456789abcdef"]
    }

    condition {
      test     = "StringLike"
      variable = "sts:RoleSessionName"
      values   = ["firedrill-*"]
    }
  }
}

resource "aws_iam_role" "firedrill" {
  name               = "firedrill"
  assume_role_policy = data.aws_iam_policy_document.firedrill_trust.json
}

data "aws_iam_policy_document" "firedrill_1" {
  statement {
    sid       = "ApplicationAutoscalingRead"
    effect    = "Allow"
    actions   = ["application-autoscaling:DescribeScalableTargets"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "ApplicationAutoscalingWrite"
    effect    = "Allow"
    actions   = ["application-autoscaling:RegisterScalableTarget"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:scalable-dimension"
      values   = ["dynamodb:table:WriteCapacityUnits"]
    }

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["dynamodb"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "CloudtrailWrite"
    effect    = "Allow"
    actions   = ["cloudtrail:LookupEvents"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "CloudwatchRead"
    effect    = "Allow"
    actions   = ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListAlarmMuteRules"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "DynamodbRead"
    effect    = "Allow"
    actions   = ["dynamodb:Query"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/firedrill"]
  }

  statement {
    sid       = "DynamodbRead2"
    effect    = "Allow"
    actions   = ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "DynamodbTag"
    effect    = "Allow"
    actions   = ["dynamodb:TagResource", "dynamodb:UntagResource"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["firedrill:*"]
    }
  }

  statement {
    sid       = "DynamodbWrite"
    effect    = "Allow"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/firedrill"]
  }

  statement {
    sid       = "DynamodbWrite2"
    effect    = "Allow"
    actions   = ["dynamodb:UpdateTable"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "DynamodbWrite3"
    effect    = "Allow"
    actions   = ["dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["firedrill/*", "-735560*", "ZmlyZWRyaWxsL*"]
    }
  }

  statement {
    sid       = "ElasticloadbalancingRead"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "ElasticloadbalancingTag"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:AddTags"]
    resources = ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2/*"]

    condition {
      test     = "StringEquals"
      variable = "elasticloadbalancing:CreateAction"
      values   = ["CreateRule"]
    }
  }

  statement {
    sid       = "ElasticloadbalancingWrite"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:CreateRule"]
    resources = ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2"]
  }

  statement {
    sid       = "ElasticloadbalancingWrite2"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:DeleteRule", "elasticloadbalancing:ModifyRule"]
    resources = ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2/*"]

    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/firedrill:run"
      values   = ["*"]
    }
  }

  statement {
    sid       = "FisRead"
    effect    = "Allow"
    actions   = ["fis:GetSafetyLever"]
    resources = ["arn:aws:fis:eu-west-1:123456789012:safety-lever/default"]
  }

  statement {
    sid       = "IamRead"
    effect    = "Allow"
    actions   = ["iam:ListAccountAliases"]
    resources = ["*"]
  }

  statement {
    sid       = "IamRead2"
    effect    = "Allow"
    actions   = ["iam:SimulatePrincipalPolicy"]
    resources = ["arn:aws:iam::123456789012:role/firedrill"]
  }

  statement {
    sid       = "IamWrite"
    effect    = "Allow"
    actions   = ["iam:PassRole"]
    resources = ["arn:aws:iam::123456789012:role/firedrill-deadman"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["scheduler.amazonaws.com"]
    }
  }

  statement {
    sid       = "LambdaRead"
    effect    = "Allow"
    actions   = ["lambda:ListEventSourceMappings"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "SchedulerRead"
    effect    = "Allow"
    actions   = ["scheduler:GetSchedule"]
    resources = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/firedrill-*"]
  }

  statement {
    sid       = "SchedulerRead2"
    effect    = "Allow"
    actions   = ["scheduler:ListSchedules"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "SchedulerWrite"
    effect    = "Allow"
    actions   = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule"]
    resources = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/firedrill-*"]
  }

  statement {
    sid       = "SqsRead"
    effect    = "Allow"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"]
  }

  statement {
    sid       = "SqsRead2"
    effect    = "Allow"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "SqsTag"
    effect    = "Allow"
    actions   = ["sqs:TagQueue", "sqs:UntagQueue"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["firedrill:*"]
    }
  }

  statement {
    sid       = "SqsTag2"
    effect    = "Allow"
    actions   = ["sqs:TagQueue", "sqs:UntagQueue"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["firedrill:*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "SqsWrite"
    effect    = "Allow"
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "SqsWrite2"
    effect    = "Allow"
    actions   = ["sqs:SendMessage"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"]
  }

  statement {
    sid       = "StsRead"
    effect    = "Allow"
    actions   = ["sts:GetCallerIdentity"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "firedrill_1" {
  name   = "firedrill-1"
  policy = data.aws_iam_policy_document.firedrill_1.json
}

resource "aws_iam_role_policy_attachment" "firedrill_1" {
  role       = aws_iam_role.firedrill.name
  policy_arn = aws_iam_policy.firedrill_1.arn
}

data "aws_iam_policy_document" "firedrill_2" {
  statement {
    sid       = "NeverLoseData"
    effect    = "Deny"
    actions   = ["sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "dynamodb:DeleteTable", "dynamodb:DeleteBackup", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "sns:Unsubscribe", "sns:DeleteTopic", "sns:SetSubscriptionAttributes", "kinesis:DeleteStream", "kinesis:DecreaseStreamRetentionPeriod", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverSilence"
    effect    = "Deny"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState", "cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverTheirItems"
    effect    = "Deny"
    actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "NeverTheirKeys"
    effect    = "Deny"
    actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAnyValue:StringNotLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["firedrill/*", "-735560*", "ZmlyZWRyaWxsL*"]
    }
  }

  statement {
    sid       = "NeverAnothersRule"
    effect    = "Deny"
    actions   = ["elasticloadbalancing:DeleteRule", "elasticloadbalancing:ModifyRule"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/firedrill:run"
      values   = ["true"]
    }
  }
}

resource "aws_iam_policy" "firedrill_2" {
  name   = "firedrill-2"
  policy = data.aws_iam_policy_document.firedrill_2.json
}

resource "aws_iam_role_policy_attachment" "firedrill_2" {
  role       = aws_iam_role.firedrill.name
  policy_arn = aws_iam_policy.firedrill_2.arn
}

# for whoever assumes it
data "aws_iam_policy_document" "firedrill_caller" {
  statement {
    sid       = "AssumeFiredrill"
    effect    = "Allow"
    actions   = ["sts:AssumeRole"]
    resources = ["arn:aws:iam::123456789012:role/firedrill"]
  }
}

# firedrill-staging-recover
# note: which queue takes the dead letters of orders stands in its redrive policy only
# note: AWS knows no resource for application-autoscaling:DescribeScalableTargets, application-autoscaling:RegisterScalableTarget, cloudtrail:LookupEvents, cloudwatch:DescribeAlarms, elasticloadbalancing:DescribeListeners, elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeRules, elasticloadbalancing:DescribeTags, iam:ListAccountAliases, scheduler:ListSchedules, sts:GetCallerIdentity, or none that has a name before it is asked: * stands there, in the environment's region alone where a call has one
# note: where the name is not known, the environment's tags narrow it: who takes them away from a target takes our way back, too
data "aws_iam_policy_document" "firedrill_staging_recover_trust" {
  statement {
    sid     = "TrustPipeline"
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:acme/orders:environment:staging"]
    }
  }

  statement {
    sid     = "Trust"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Staging_0123456789abcdef"]
    }
  }
}

resource "aws_iam_role" "firedrill_staging_recover" {
  name               = "firedrill-staging-recover"
  assume_role_policy = data.aws_iam_policy_document.firedrill_staging_recover_trust.json
}

data "aws_iam_policy_document" "firedrill_staging_recover" {
  statement {
    sid       = "ApplicationAutoscalingRead"
    effect    = "Allow"
    actions   = ["application-autoscaling:DescribeScalableTargets"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "ApplicationAutoscalingWrite"
    effect    = "Allow"
    actions   = ["application-autoscaling:RegisterScalableTarget"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:scalable-dimension"
      values   = ["dynamodb:table:WriteCapacityUnits"]
    }

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["dynamodb"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "CloudtrailWrite"
    effect    = "Allow"
    actions   = ["cloudtrail:LookupEvents"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "CloudwatchRead"
    effect    = "Allow"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "DynamodbRead"
    effect    = "Allow"
    actions   = ["dynamodb:Query"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/firedrill"]
  }

  statement {
    sid       = "DynamodbRead2"
    effect    = "Allow"
    actions   = ["dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "DynamodbTag"
    effect    = "Allow"
    actions   = ["dynamodb:TagResource", "dynamodb:UntagResource"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["firedrill:*"]
    }
  }

  statement {
    sid       = "DynamodbWrite"
    effect    = "Allow"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/firedrill"]
  }

  statement {
    sid       = "DynamodbWrite2"
    effect    = "Allow"
    actions   = ["dynamodb:UpdateTable"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "ElasticloadbalancingRead"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "ElasticloadbalancingWrite"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:DeleteRule"]
    resources = ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2/*"]

    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/firedrill:run"
      values   = ["*"]
    }
  }

  statement {
    sid       = "IamRead"
    effect    = "Allow"
    actions   = ["iam:ListAccountAliases"]
    resources = ["*"]
  }

  statement {
    sid       = "SchedulerRead"
    effect    = "Allow"
    actions   = ["scheduler:GetSchedule"]
    resources = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/firedrill-*"]
  }

  statement {
    sid       = "SchedulerRead2"
    effect    = "Allow"
    actions   = ["scheduler:ListSchedules"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "SchedulerWrite"
    effect    = "Allow"
    actions   = ["scheduler:DeleteSchedule"]
    resources = ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/firedrill-*"]
  }

  statement {
    sid       = "SqsRead"
    effect    = "Allow"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"]
  }

  statement {
    sid       = "SqsRead2"
    effect    = "Allow"
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "SqsTag"
    effect    = "Allow"
    actions   = ["sqs:TagQueue", "sqs:UntagQueue"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:orders"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["firedrill:*"]
    }
  }

  statement {
    sid       = "SqsTag2"
    effect    = "Allow"
    actions   = ["sqs:TagQueue", "sqs:UntagQueue"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "aws:TagKeys"
      values   = ["firedrill:*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "SqsWrite"
    effect    = "Allow"
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/environment"
      values   = ["staging"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/firedrill"
      values   = ["allowed"]
    }
  }

  statement {
    sid       = "StsRead"
    effect    = "Allow"
    actions   = ["sts:GetCallerIdentity"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverLoseData"
    effect    = "Deny"
    actions   = ["sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "dynamodb:DeleteTable", "dynamodb:DeleteBackup", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "sns:Unsubscribe", "sns:DeleteTopic", "sns:SetSubscriptionAttributes", "kinesis:DeleteStream", "kinesis:DecreaseStreamRetentionPeriod", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverSilence"
    effect    = "Deny"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState", "cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverTheirItems"
    effect    = "Deny"
    actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "NeverTheirKeys"
    effect    = "Deny"
    actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAnyValue:StringNotLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["firedrill/*", "-735560*", "ZmlyZWRyaWxsL*"]
    }
  }

  statement {
    sid       = "NeverAnothersRule"
    effect    = "Deny"
    actions   = ["elasticloadbalancing:DeleteRule", "elasticloadbalancing:ModifyRule"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/firedrill:run"
      values   = ["true"]
    }
  }
}

resource "aws_iam_policy" "firedrill_staging_recover" {
  name   = "firedrill-staging-recover"
  policy = data.aws_iam_policy_document.firedrill_staging_recover.json
}

resource "aws_iam_role_policy_attachment" "firedrill_staging_recover" {
  role       = aws_iam_role.firedrill_staging_recover.name
  policy_arn = aws_iam_policy.firedrill_staging_recover.arn
}

# for whoever assumes it
data "aws_iam_policy_document" "firedrill_staging_recover_caller" {
  statement {
    sid       = "AssumeFiredrill"
    effect    = "Allow"
    actions   = ["sts:AssumeRole"]
    resources = ["arn:aws:iam::123456789012:role/firedrill-staging-recover"]
  }
}

# firedrill-deadman
# note: which queue takes the dead letters of orders stands in its redrive policy only
# note: AWS knows no resource for application-autoscaling:RegisterScalableTarget, or none that has a name before it is asked: * stands there, in the environment's region alone where a call has one
data "aws_iam_policy_document" "firedrill_deadman_trust" {
  statement {
    sid     = "TrustScheduler"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["123456789012"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:scheduler:eu-west-1:123456789012:schedule-group/default"]
    }
  }
}

resource "aws_iam_role" "firedrill_deadman" {
  name               = "firedrill-deadman"
  assume_role_policy = data.aws_iam_policy_document.firedrill_deadman_trust.json
}

data "aws_iam_policy_document" "firedrill_deadman" {
  statement {
    sid       = "ApplicationAutoscalingWrite"
    effect    = "Allow"
    actions   = ["application-autoscaling:RegisterScalableTarget"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:scalable-dimension"
      values   = ["dynamodb:table:WriteCapacityUnits"]
    }

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["dynamodb"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }

  statement {
    sid       = "DynamodbWrite"
    effect    = "Allow"
    actions   = ["dynamodb:UpdateTable"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "ElasticloadbalancingWrite"
    effect    = "Allow"
    actions   = ["elasticloadbalancing:DeleteRule"]
    resources = ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2/*"]

    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/firedrill:run"
      values   = ["*"]
    }
  }

  statement {
    sid       = "SqsWrite"
    effect    = "Allow"
    actions   = ["sqs:SendMessage"]
    resources = ["arn:aws:sqs:eu-west-1:123456789012:firedrill-deadman-dlq"]
  }

  statement {
    sid       = "NeverLoseData"
    effect    = "Deny"
    actions   = ["sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "dynamodb:DeleteTable", "dynamodb:DeleteBackup", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups", "sns:Unsubscribe", "sns:DeleteTopic", "sns:SetSubscriptionAttributes", "kinesis:DeleteStream", "kinesis:DecreaseStreamRetentionPeriod", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverSilence"
    effect    = "Deny"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState", "cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"]
    resources = ["*"]
  }

  statement {
    sid       = "NeverTheirItems"
    effect    = "Deny"
    actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]
  }

  statement {
    sid       = "NeverTheirKeys"
    effect    = "Deny"
    actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]

    condition {
      test     = "ForAnyValue:StringNotLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["firedrill/*", "-735560*", "ZmlyZWRyaWxsL*"]
    }
  }

  statement {
    sid       = "NeverAnothersRule"
    effect    = "Deny"
    actions   = ["elasticloadbalancing:DeleteRule", "elasticloadbalancing:ModifyRule"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/firedrill:run"
      values   = ["true"]
    }
  }
}

resource "aws_iam_policy" "firedrill_deadman" {
  name   = "firedrill-deadman"
  policy = data.aws_iam_policy_document.firedrill_deadman.json
}

resource "aws_iam_role_policy_attachment" "firedrill_deadman" {
  role       = aws_iam_role.firedrill_deadman.name
  policy_arn = aws_iam_policy.firedrill_deadman.arn
}
