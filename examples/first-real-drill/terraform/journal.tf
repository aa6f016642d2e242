# The journal, as firedrill init --store dynamodb makes it. What is written there is how a dead runner's faults are put
# back: it can be neither deleted by mistake nor lost.

resource "aws_dynamodb_table" "journal" {
  name                        = local.journal
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "part"
  range_key                   = "name"
  deletion_protection_enabled = true

  attribute {
    name = "part"
    type = "S"
  }

  attribute {
    name = "name"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  tags = { firedrill = "journal" } # not "allowed": no drill may have it as its target

  lifecycle {
    prevent_destroy = true
  }
}
