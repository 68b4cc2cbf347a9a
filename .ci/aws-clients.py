"""boto3 and the AWS CLI against a running sandbox: every service, and what is refused."""

import io
import json
import os
import subprocess
import tarfile
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ['AWS_ENDPOINT_URL']
REGION = os.environ['AWS_REGION']
ACCOUNT = '111122223333'
ROLE = f'arn:aws:iam::{ACCOUNT}:role/anybody'
BUCKET = 'org-staging'
# Both clients put the account before the host, and not every resolver knows names below localhost.
CONTROL = ENDPOINT.replace('127.0.0.1', 'localhost')
IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1'
os.environ['AWS_DEFAULT_REGION'] = REGION


def cli(*args, **env):
    ran = subprocess.run(['aws', *args, '--output', 'json'], capture_output=True, text=True, env={**os.environ, **env})
    assert ran.returncode == 0, (args, ran.stderr)
    return json.loads(ran.stdout) if ran.stdout.startswith(('{', '[')) else ran.stdout


def client(name, **more):
    return boto3.client(name, region_name=REGION, **{'endpoint_url': ENDPOINT, **more})


def until(what, look, *ends):
    for _ in range(200):
        state = look()
        if state in ends:
            assert state == ends[0], f'{what} ends as {state}'
            return
        time.sleep(0.1)
    raise AssertionError(f'{what} stays {state}')


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response['Error']['Code'] == code, error
        return
    raise AssertionError(f'no {code}')


def check_sts():
    assert client('sts').get_caller_identity()['Account'] == ACCOUNT
    assert cli('sts', 'get-caller-identity')['Account'] == ACCOUNT
    refused('SignatureDoesNotMatch', client('sts', aws_secret_access_key='wrong', aws_access_key_id=os.environ['AWS_ACCESS_KEY_ID']).get_caller_identity)


def check_s3():
    s3 = client('s3')
    assert s3.get_object(Bucket='org-logs', Key='key')['Body'].read() == b'value\n'
    s3.put_object(Bucket=BUCKET, Key='a key+1', Body=b'of boto3', Metadata={'by': 'boto3'})
    s3.copy_object(Bucket=BUCKET, Key='copy', CopySource={'Bucket': BUCKET, 'Key': 'a key+1'})
    s3.upload_fileobj(io.BytesIO(b'x' * (9 << 20)), BUCKET, 'large')
    assert s3.head_object(Bucket=BUCKET, Key='large')['ContentLength'] == 9 << 20
    assert cli('s3', 'cp', f's3://{BUCKET}/copy', '-') == 'of boto3'
    listed = cli('s3api', 'list-objects-v2', '--bucket', BUCKET)
    assert [entry['Key'] for entry in listed['Contents']] == ['a key+1', 'copy', 'large'], listed
    refused('NoSuchKey', s3.get_object, Bucket=BUCKET, Key='nothing')


def check_s3_control():
    s3 = client('s3')
    etag = s3.put_object(Bucket=BUCKET, Key='manifest.csv', Body=b'org-logs,key\n')['ETag'].strip('"')
    place = f'arn:aws:s3:::{BUCKET}'
    job = {
        'ConfirmationRequired': False,
        'Operation': {'S3PutObjectCopy': {'TargetResource': place, 'TargetKeyPrefix': 'staged'}},
        'Manifest': {
            'Spec': {'Format': 'S3BatchOperations_CSV_20180820', 'Fields': ['Bucket', 'Key']},
            'Location': {'ObjectArn': f'{place}/manifest.csv', 'ETag': etag},
        },
        'Report': {'Enabled': False},
        'Priority': 1,
        'RoleArn': ROLE,
    }
    control = client('s3control', endpoint_url=CONTROL, config=Config(proxies={'http': ENDPOINT}))
    started = control.create_job(AccountId=ACCOUNT, ClientRequestToken='one', **job)['JobId']
    look = lambda: control.describe_job(AccountId=ACCOUNT, JobId=started)['Job']['Status']
    until('the job', look, 'Complete', 'Failed')
    assert s3.get_object(Bucket=BUCKET, Key='staged/key')['Body'].read() == b'value\n'
    jobs = cli('s3control', 'list-jobs', '--account-id', ACCOUNT, AWS_ENDPOINT_URL_S3_CONTROL=CONTROL, HTTP_PROXY=ENDPOINT, NO_PROXY='')
    assert [entry['JobId'] for entry in jobs['Jobs']] == [started]


def check_athena():
    athena = client('athena')
    place = {'OutputLocation': f's3://{BUCKET}/results/'}
    asked = athena.start_query_execution(QueryString="select 'a' as entity, 2 as n", ResultConfiguration=place)
    query = asked['QueryExecutionId']
    look = lambda: athena.get_query_execution(QueryExecutionId=query)['QueryExecution']['Status']['State']
    until('the query', look, 'SUCCEEDED', 'FAILED', 'CANCELLED')
    rows = cli('athena', 'get-query-results', '--query-execution-id', query)['ResultSet']['Rows']
    assert [[field['VarCharValue'] for field in row['Data']] for row in rows] == [['entity', 'n'], ['a', '2']]
    refused('InvalidRequestException', athena.start_query_execution, QueryString='selct', ResultConfiguration=place)
    refused('NotImplemented', athena.start_query_execution, QueryString='values 1', ResultConfiguration=place)


def check_sagemaker():
    sagemaker, runtime = client('sagemaker'), client('sagemaker-runtime')
    pairs = ''.join(f'user{i % 7},10.0.{i % 7}.{i % 5}\n' for i in range(700))
    client('s3').put_object(Bucket=BUCKET, Key='pairs/a.csv', Body=pairs.encode())
    source = {'S3DataType': 'S3Prefix', 'S3Uri': f's3://{BUCKET}/pairs/', 'S3DataDistributionType': 'FullyReplicated'}
    sagemaker.create_training_job(
        TrainingJobName='job',
        RoleArn=ROLE,
        AlgorithmSpecification={'TrainingImage': IMAGE, 'TrainingInputMode': 'File'},
        HyperParameters={'num_entity_vectors': '20', 'vector_dim': '8', 'epochs': '1'},
        InputDataConfig=[{'ChannelName': 'train', 'ContentType': 'text/csv', 'DataSource': {'S3DataSource': source}}],
        OutputDataConfig={'S3OutputPath': f's3://{BUCKET}/models/'},
        ResourceConfig={'InstanceType': 'ml.m5.large', 'InstanceCount': 1, 'VolumeSizeInGB': 10},
        StoppingCondition={'MaxRuntimeInSeconds': 3600},
    )
    look = lambda: sagemaker.describe_training_job(TrainingJobName='job')['TrainingJobStatus']
    until('the training job', look, 'Completed', 'Failed', 'Stopped')
    model = cli('sagemaker', 'describe-training-job', '--training-job-name', 'job')['ModelArtifacts']['S3ModelArtifacts']
    container = {'Image': IMAGE, 'ModelDataUrl': model}
    sagemaker.create_model(ModelName='model', ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {'VariantName': 'all', 'ModelName': 'model', 'InstanceType': 'ml.m5.large', 'InitialInstanceCount': 1}
    sagemaker.create_endpoint_config(EndpointConfigName='config', ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName='endpoint', EndpointConfigName='config')
    look = lambda: sagemaker.describe_endpoint(EndpointName='endpoint')['EndpointStatus']
    until('the endpoint', look, 'InService', 'Failed')
    answer = runtime.invoke_endpoint(EndpointName='endpoint', ContentType='text/csv', Body=b'user1,10.0.1.1')
    assert 'dot_product' in json.load(answer['Body'])['predictions'][0]
    scaling = client('application-autoscaling')
    target = {'ServiceNamespace': 'sagemaker', 'ResourceId': 'endpoint/endpoint/variant/all'}
    dimension = 'sagemaker:variant:DesiredInstanceCount'
    scaling.register_scalable_target(ScalableDimension=dimension, MinCapacity=1, MaxCapacity=2, **target)
    targets = cli('application-autoscaling', 'describe-scalable-targets', '--service-namespace', 'sagemaker')
    assert targets['ScalableTargets'][0]['MaxCapacity'] == 2
    quotas = cli('service-quotas', 'list-service-quotas', '--service-code', 'sagemaker')['Quotas']
    assert quotas == client('service-quotas').list_service_quotas(ServiceCode='sagemaker')['Quotas'] != []


def check_cloudformation():
    template = {'Resources': {'Results': {'Type': 'AWS::S3::Bucket', 'Properties': {'BucketName': 'made-by-a-stack'}}}}
    formation = client('cloudformation')
    change = {'StackName': 'stack', 'ChangeSetName': 'first'}
    formation.create_change_set(ChangeSetType='CREATE', TemplateBody=json.dumps(template), **change)
    until('the change set', lambda: formation.describe_change_set(**change)['Status'], 'CREATE_COMPLETE', 'FAILED')
    formation.execute_change_set(**change)
    look = lambda: cli('cloudformation', 'describe-stacks', '--stack-name', 'stack')['Stacks'][0]['StackStatus']
    until('the stack', look, 'CREATE_COMPLETE', 'ROLLBACK_COMPLETE')
    client('s3').head_bucket(Bucket='made-by-a-stack')


for check in [check_sts, check_s3, check_s3_control, check_athena, check_sagemaker, check_cloudformation]:
    check()
    print(f'{check.__name__[6:]}: boto3 and the AWS CLI are served', flush=True)
