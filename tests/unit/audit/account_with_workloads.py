"""An account on moto that has workloads: one or two of each kind that checks of workloads look at."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3

HOME = "eu-central-1"
TRUST = '{"Version": "2012-10-17", "Statement": []}'
ORIGIN = {
    "Id": "o", "DomainName": "example.com",
    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
}  # fmt: skip
DISTRIBUTION = {
    "CallerReference": "x", "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [ORIGIN]},
    "DefaultCacheBehavior": {
        "TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    },
}  # fmt: skip
LISTENER = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}
DESTINATION = f"arn:aws:logs:{HOME}:123456789012:log-group:x"
DATABASE = {"MasterUsername": "example", "MasterUserPassword": "example-password"}


def populate() -> None:
    """Everything below."""
    network()
    databases()
    web()
    policies()


def network() -> None:
    """An instance, a group and an ACL that let everyone in, and a peered VPC."""
    ec2: Any = boto3.client("ec2", HOME)
    required = {"HttpTokens": "required"}
    ec2.run_instances(ImageId="ami-0abcdef1234567890", MinCount=1, MaxCount=1, MetadataOptions=required)
    vpc, other = (ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"] for block in ("10.1.0.0/16", "10.2.0.0/16"))
    everyone = [{"Cidr": "0.0.0.0/0"}]
    made = ec2.create_managed_prefix_list(
        PrefixListName="everyone", MaxEntries=1, AddressFamily="IPv4", Entries=everyone
    )
    identifier = made["PrefixList"]["PrefixListId"]
    group = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": identifier}]}
    everything = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh, everything])
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    through = {"VpcPeeringConnectionId": peering["VpcPeeringConnectionId"]}
    ec2.accept_vpc_peering_connection(**through)
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    table = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.2.1.0/24", **through)


def databases() -> None:
    """A database, a cluster, and two file systems, one of them encrypted."""
    rds: Any = boto3.client("rds", HOME)
    rds.create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        PubliclyAccessible=False, StorageEncrypted=True, **DATABASE,
    )  # fmt: skip
    rds.create_db_cluster(DBClusterIdentifier="cluster", Engine="aurora-postgresql", **DATABASE)
    efs: Any = boto3.client("efs", HOME)
    for encrypted in (True, False):
        efs.create_file_system(CreationToken=str(encrypted), Encrypted=encrypted)


def web() -> None:
    """A distribution, load balancers of each kind, and stages of both kinds of APIs, some with access logs."""
    boto3.client("cloudfront", HOME).create_distribution(DistributionConfig=DISTRIBUTION)  # type: ignore[arg-type]
    ec2: Any = boto3.client("ec2", HOME)
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2]]
    newer: Any = boto3.client("elbv2", HOME)
    web = newer.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    newer.modify_load_balancer_attributes(
        LoadBalancerArn=web, Attributes=[{"Key": "access_logs.s3.enabled", "Value": "true"}]
    )
    newer.create_load_balancer(Name="network", Subnets=subnets, Type="network")
    classic: Any = boto3.client("elb", HOME)
    classic.create_load_balancer(LoadBalancerName="old", Listeners=[LISTENER], AvailabilityZones=[f"{HOME}a"])
    rest: Any = boto3.client("apigateway", HOME)
    api = rest.create_rest_api(name="rest")["id"]
    method = {"restApiId": api, "resourceId": rest.get_resources(restApiId=api)["items"][0]["id"], "httpMethod": "GET"}
    rest.put_method(authorizationType="NONE", **method)
    rest.put_integration(type="MOCK", **method)
    rest.create_deployment(restApiId=api, stageName="v1")
    http: Any = boto3.client("apigatewayv2", HOME)
    api = http.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    http.create_stage(ApiId=api, StageName="v2", AccessLogSettings={"DestinationArn": DESTINATION})


def policies() -> None:
    """A topic, two queues, two functions, a secret and a vault; one queue and one function are public."""
    boto3.client("sns", HOME).create_topic(Name="topic")
    sqs = boto3.client("sqs", HOME)
    sqs.create_queue(QueueName="private")
    sqs.create_queue(QueueName="public", Attributes={"Policy": json.dumps(public("sqs:*"))})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("example.py", "")
    role = boto3.client("iam", HOME).create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    functions: Any = boto3.client("lambda", HOME)
    for name in ("private", "public"):
        functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role,
            Handler="example.x",
            Code={"ZipFile": archive.getvalue()},
        )
    functions.add_permission(FunctionName="public", StatementId="all", Action="lambda:InvokeFunction", Principal="*")
    boto3.client("secretsmanager", HOME).create_secret(Name="secret", SecretString="example")
    boto3.client("glacier", HOME).create_vault(vaultName="vault", accountId="-")


def public(action: str) -> dict[str, Any]:
    """A policy that lets in every account."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}
