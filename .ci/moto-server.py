"""moto's server, with five of its mistakes put right, each as AWS documents it: otherwise it does not make the stack at all."""

import sys

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.cloudformation import models, parsing
from moto.core.exceptions import JsonRESTError
from moto.iam import policy_validation
from moto.kms.models import Key
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
create_key = Key.create_from_cloudformation_json.__func__


def create_key_with_tags(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    properties = dict(cloudformation_json["Properties"])
    tags = properties.get("Tags", [])
    properties["Tags"] = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
    return create_key(cls, resource_name, {**cloudformation_json, "Properties": properties}, account_id, region_name, **kwargs)


Key.create_from_cloudformation_json = classmethod(create_key_with_tags)

# ObjectNotFoundException, where there is no such target: DeregisterScalableTarget, API reference. moto calls it a ValidationException.
deregister = ApplicationAutoscalingBackend.deregister_scalable_target


def deregister_or_not_found(backend, *args, **kwargs):
    try:
        return deregister(backend, *args, **kwargs)
    except AWSValidationException as error:
        raise JsonRESTError("ObjectNotFoundException", error.message) from error


ApplicationAutoscalingBackend.deregister_scalable_target = deregister_or_not_found

main(sys.argv[1:])
