#!/bin/bash
# Variables that only the AWS provider reads lead it to another server than the one that boto3 has checked, or add tags
# that no report has shown. Held for all variables by tests/unit/test_variables.py and tests/unit/aws/test_credentials.py.
. "$(dirname "$0")/../lib.sh"

FILE='account_id: "111122223333"
regions: {home: eu-central-1}
default_tags: {Owner: platform@example.com}
components:
  password_policy: {}
  cloudtrail: {}
'
env_file real <<< "$FILE"
env_file pretend <<< "$FILE
simulator: moto"

# A server that notes who calls it; its port in $PORT.
cat > "$W/other.py" <<'Y'
import http.server, sys
class Other(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open(sys.argv[1] + "/asked", "a") as log:
            log.write(self.path + "\n")
        self.send_response(500); self.end_headers()
    do_GET = do_PUT = do_HEAD = do_POST
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Other)
print(server.server_port, flush=True)
server.serve_forever()
Y
"$PY" "$W/other.py" "$W" > "$W/port" & OTHER=$!
trap 'kill $OTHER 2>/dev/null; finish' EXIT
for _ in $(seq 100); do [ -s "$W/port" ] && break; sleep 0.1; done
PORT=$(cat "$W/port")
never_called() { [ ! -e "$W/asked" ]; }

# No credentials and no metadata service: what is not refused ends with 5, not with a call to AWS.
export AWS_EC2_METADATA_DISABLED=true HOME="$W"
run render
for variable in "TF_AWS_IAM_ENDPOINT=http://127.0.0.1:$PORT" "TF_AWS_STS_ENDPOINT=http://127.0.0.1:$PORT" \
  TF_AWS_DEFAULT_TAGS_team=x TF_AWS_IGNORE_TAGS_KEYS=Owner "AWS_ENDPOINT_URL_S3=http://127.0.0.1:$PORT" AWS_NEW=1; do
  name=${variable%%=*}
  export "${variable?}"
  run apply real --auto-approve
  unset "$name"
  want "$name is refused for a real account" exit_code 4
  want "$name is named" says "$name is set: "
done
AWS_PROFILE=one AWS_DEFAULT_PROFILE=two run plan real
want "two profiles are refused" exit_code 4
want "both are named" says "AWS_PROFILE=one and AWS_DEFAULT_PROFILE=two"
run plan real
want "without them, credentials are what is missing" exit_code 5

up --account-id 111122223333
export "TF_AWS_IAM_ENDPOINT=http://127.0.0.1:$PORT" "TF_AWS_STS_ENDPOINT=http://127.0.0.1:$PORT" TF_AWS_DEFAULT_TAGS_team=x
run apply pretend --auto-approve
unset TF_AWS_IAM_ENDPOINT TF_AWS_STS_ENDPOINT TF_AWS_DEFAULT_TAGS_team
want "the embedded AWS is applied to" exit_code 0
want "that they are left out is reported" says "TF_AWS_IAM_ENDPOINT is set and ignored"
TAGS=$(aws_py <<'Y'
s3 = client("s3")
for bucket in s3.list_buckets()["Buckets"]:
    print(bucket["Name"], *(tag["Key"] for tag in s3.get_bucket_tagging(Bucket=bucket["Name"])["TagSet"]))
Y
)
echo "$TAGS"
tagged_as_planned() { grep -q Owner <<< "$TAGS" && ! grep -q team <<< "$TAGS"; }
want "buckets have the planned tag, and no other" tagged_as_planned
want "the other server was never called" never_called
