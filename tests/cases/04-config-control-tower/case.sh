#!/bin/bash
# An account under Control Tower: recorder and channel of its names, with exclusions; and a recorder with a list of types.
# The kind is held by modules/config/tests, tests/unit/plan/test_cost.py and tests/unit/components/test_config.py.
. "$(dirname "$0")/../lib.sh"
recorder() { cat <<X | aws_py
c = client("config")
c.put_configuration_recorder(ConfigurationRecorder={"name": "aws-controltower-BaselineConfigRecorder",
  "roleARN": "arn:aws:iam::123456789012:role/aws-controltower-ConfigRecorderRole", "recordingGroup": $1})
X
}
recorded() {
  OUT=$(aws_py <<'X'
(r,) = client("config").describe_configuration_recorders()["ConfigurationRecorders"]
print(json.dumps(r["recordingGroup"], sort_keys=True))
X
  ); echo "$OUT"
}
up
aws_py <<'X'
i, s = client("iam"), client("s3")
s.create_bucket(Bucket="aws-controltower-logs-example", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
i.create_role(RoleName="aws-controltower-ConfigRecorderRole", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
X
recorder '{"allSupported": False, "includeGlobalResourceTypes": False, "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::NetworkInterface"]}, "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}'
aws_py <<'X'
c = client("config")
c.put_delivery_channel(DeliveryChannel={"name": "aws-controltower-BaselineConfigDeliveryChannel", "s3BucketName": "aws-controltower-logs-example"})
c.start_configuration_recorder(ConfigurationRecorderName="aws-controltower-BaselineConfigRecorder")
X

echo "## names of our own"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
components:
  config: {rules: {}}
Y
run plan dev
want "a second recorder is refused" exit_code 4
want "and the one that is there is named" says "aws-controltower-BaselineConfigRecorder"

echo "## the names of Control Tower, imported"
env_file dev <<'Y'
account_id: "123456789012"
regions: {home: eu-central-1}
simulator: moto
imports:
  module.config_eu_central_1.aws_config_configuration_recorder.this: aws-controltower-BaselineConfigRecorder
  module.config_eu_central_1.aws_config_delivery_channel.this: aws-controltower-BaselineConfigDeliveryChannel
components:
  config:
    rules: {}
    recorder_name: aws-controltower-BaselineConfigRecorder
    delivery_channel_name: aws-controltower-BaselineConfigDeliveryChannel
Y
run plan dev --allow-weaker 'module.config*' --out x.tfbundle
want "the plan may be applied" exit_code 0
want "what is recorded more is among what bills" says "Config recorder"
run apply dev --plan x.tfbundle
want "it is applied" exit_code 0
recorded
want "exclusions are gone" silent_about "NetworkInterface"
want "and everything is recorded" says '"allSupported": true'
run plan dev --detailed-exitcode
want "nothing is left to do" exit_code 0

echo "## a recorder with a list of types"
recorder '{"allSupported": False, "includeGlobalResourceTypes": False, "resourceTypes": ["AWS::EC2::Instance"], "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}}'
run plan dev --out y.tfbundle
want "what is recorded more is among what bills" says "Config recorder"
run apply dev --plan y.tfbundle
want "it is applied" exit_code 0
recorded
want "everything is recorded" says '"allSupported": true'
run plan dev --detailed-exitcode
want "nothing is left to do" exit_code 0
