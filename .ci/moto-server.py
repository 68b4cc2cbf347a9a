"""moto's server, with four of its mistakes put right, each as AWS documents it: otherwise it does not make the stack at all."""

import sys

from moto.cloudformation import models, parsing
from moto.iam import policy_validation
from moto.server import main

# "AWS::NoValue removes the resource property": pseudo parameters, CloudFormation user guide. moto leaves None in a list.
clean_json = parsing.clean_json


def without_no_value(value, resources):
    cleaned = clean_json(value, resources)
    return [item for item in cleaned if item is not None] if isinstance(cleaned, list) else cleaned


parsing.clean_json = without_no_value

# arn:${Partition}:s3:${Region}:${Account}:job/${JobId}: Service Authorization Reference. moto knows only access points with a region.
policy_validation.SERVICE_TYPE_REGION_INFORMATION_ERROR_ASSOCIATIONS["s3"]["valid_starting_values"].append("job/")

# A stack that a change set makes has outputs; in moto only one that CreateStack makes.
apply = models.ChangeSet.apply


def apply_with_outputs(change_set):
    apply(change_set)
    change_set.stack.template_dict = change_set.template_dict
    change_set.stack.output_map = change_set.stack._create_output_map()


models.ChangeSet.apply = apply_with_outputs

# A key's tags are Key and Value in a template, and TagKey and TagValue in KMS itself.
from moto.kms.models import Key  # noqa: E402

create_key = Key.create_from_cloudformation_json.__func__


def create_key_with_tags(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    properties = dict(cloudformation_json["Properties"])
    tags = properties.get("Tags", [])
    properties["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
    return create_key(cls, resource_name, {**cloudformation_json, "Properties": properties}, account_id, region_name, **kwargs)


Key.create_from_cloudformation_json = classmethod(create_key_with_tags)

main(sys.argv[1:])
