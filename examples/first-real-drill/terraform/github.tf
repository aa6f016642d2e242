# GitHub's jobs show a token that this provider vouches for. Which of them may be which role stands in roles.tf.

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

# roles.tf is written by firedrill policy, with the account that stands in firedrill.yaml.
check "roles_are_for_this_account" {
  assert {
    condition     = strcontains(data.aws_iam_policy_document.firedrill_deadman_trust.json, "\"${var.account_id}\"")
    error_message = "roles.tf was written for another account. Try: write it again, with firedrill policy"
  }
}
