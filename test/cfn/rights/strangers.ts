import { ACCOUNT, LAKE, LOGS_KEY, REGION } from './account.ts'

type Context = Readonly<Record<string, string>>
/** Calls that nobody may make: who, action, resource, context. */
type Stranger = readonly [who: string, action: string, resource: string, context?: Context]

const arn = (service: string, resource: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`
const iam = (resource: string): string => `arn:aws:iam::${ACCOUNT}:${resource}`
const KEY = arn('kms', 'key/99999999-2222-3333-4444-555555555555')
const target = arn('application-autoscaling', 'scalable-target/1')
const inVpc = (id: string): Context => ({ 'ec2:Region': REGION, 'ec2:Vpc': arn('ec2', `vpc/${id}`) })
const scaling = (namespace: string): Context => ({ 'application-autoscaling:service-namespace': namespace })

/** @param bucket the staging bucket. @param roles ARNs by name. @param key ARN of the stack's own key */
export const strangers = (bucket: string, roles: Readonly<Record<string, string>>, key: string): Stranger[] => {
  const { BatchRole: batch = '', SageMakerRole: sagemaker = '' } = roles
  const passed = (service: string): Context => ({ 'iam:PassedToService': service })
  const s3 = (path: string): string => `arn:aws:s3:::${path}`
  return [
    ['operator', 's3:ListBucket', s3('other-team')],
    ['operator', 's3:GetObject', s3('other-team/AWSLogs/a.json.gz')],
    ['operator', 's3:GetObject', s3('org-logs/secrets/a')],
    ['operator', 's3:PutObject', s3('org-logs/AWSLogs/a.json.gz')],
    ['operator', 's3:DeleteObject', s3('org-logs/AWSLogs/a.json.gz')],
    ['operator', 's3:PutObject', s3(`${bucket}/elsewhere/a`)],
    ['operator', 's3:GetObject', s3(`${bucket}/prestage/runs/a`), { 'aws:SecureTransport': 'false' }],
    ['operator', 's3:PutBucketPolicy', s3(bucket)],
    ['operator', 's3:DeleteBucket', s3(bucket)],
    ['operator', 's3:DescribeJob', `arn:aws:s3:eu-west-1:${ACCOUNT}:job/1`],
    ['operator', 'iam:PassRole', batch, passed('lambda.amazonaws.com')],
    ['operator', 'iam:PassRole', batch, passed('sagemaker.amazonaws.com')],
    ['operator', 'iam:PassRole', sagemaker],
    ['operator', 'iam:PassRole', iam('role/admin')],
    ['operator', 'iam:PassRole', sagemaker, passed('ec2.amazonaws.com')],
    ['operator', 'iam:PassRole', iam('role/admin'), passed('sagemaker.amazonaws.com')],
    ['operator', 'iam:PutRolePolicy', sagemaker],
    ['operator', 'sts:AssumeRole', sagemaker],
    ['operator', 'athena:StartQueryExecution', arn('athena', 'workgroup/primary')],
    ['operator', 'athena:GetQueryResults', arn('athena', 'workgroup/other')],
    ['operator', 'glue:GetTable', arn('glue', 'table/other/t')],
    ['operator', 'glue:DeleteTable', arn('glue', 'table/default/t')],
    ['operator', 's3:GetObject', s3(`${LAKE}/ext/custom/a.parquet`)],
    ['operator', 's3:PutObject', s3(`${LAKE}/aws/VPC_FLOW/2.0/metadata/a`)],
    ['BatchRole', 's3:GetObject', s3(`${LAKE}/aws/VPC_FLOW/1.0/a.parquet`)],
    ['operator', 'glue:UpdateTable', arn('glue', 'table/amazon_security_lake_glue_db_us_east_1/t')],
    ['operator', 'glue:GetTable', arn('glue', 'table/security_lake/t')],
    ['operator', 'glue:DeleteDatabase', arn('glue', 'database/prestage')],
    ['operator', 'cloudformation:DescribeStacks', arn('cloudformation', 'stack/other/1')],
    ['operator', 'cloudformation:DetectStackResourceDrift', arn('cloudformation', 'stack/prestage2/1')],
    ['operator', 'iam:GetRolePolicy', iam('role/admin')],
    ['operator', 'cloudformation:UpdateStack', arn('cloudformation', 'stack/prestage/1')],
    ['operator', 'kms:Decrypt', KEY],
    ['operator', 'kms:GenerateDataKey', LOGS_KEY],
    ['operator', 'kms:CreateGrant', key],
    ['operator', 'kms:ScheduleKeyDeletion', key],
    ['operator', 'sagemaker:DeleteModel', arn('sagemaker', 'model/fraud')],
    ['operator', 'sagemaker:InvokeEndpoint', arn('sagemaker', 'endpoint/fraud')],
    ['operator', 'sagemaker:UpdateEndpoint', arn('sagemaker', 'endpoint/fraud')],
    ['operator', 'sagemaker:StopTrainingJob', arn('sagemaker', 'training-job/fraud')],
    ['operator', 'sagemaker:CreateNotebookInstance', arn('sagemaker', 'notebook-instance/prestage-1')],
    ['operator', 'application-autoscaling:RegisterScalableTarget', target, scaling('ecs')],
    ['operator', 'cloudwatch:DeleteAlarms', arn('cloudwatch', 'alarm:root-login')],
    ['operator', 'iam:CreateServiceLinkedRole', iam('role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS')],
    ['BatchRole', 's3:GetObject', s3('other-team/a')],
    ['BatchRole', 's3:PutObject', s3('org-logs/AWSLogs/a.json.gz')],
    ['BatchRole', 's3:PutObject', s3(`${bucket}/prestage/athena/a`)],
    ['BatchRole', 's3:PutObject', s3(`${bucket}/prestage/runs/a/run.json`)],
    ['BatchRole', 's3:PutObject', s3(`${bucket}/prestage/bulk/a/pairs/train/a.csv`)],
    ['BatchRole', 's3:GetObject', s3(`${bucket}/prestage/bulk/a/staged/a.json.gz`)],
    ['BatchRole', 's3:DeleteObject', s3(`${bucket}/prestage/bulk/a/staged/a.json.gz`)],
    ['BatchRole', 'kms:Decrypt', KEY],
    ['BatchRole', 'kms:GenerateDataKey', LOGS_KEY],
    ['SageMakerRole', 's3:ListBucket', s3(bucket)],
    ['SageMakerRole', 's3:ListBucket', s3(bucket), { 's3:prefix': 'elsewhere/' }],
    ['SageMakerRole', 's3:GetObject', s3('org-logs/AWSLogs/a.json.gz')],
    ['SageMakerRole', 's3:PutObject', s3(`${bucket}/prestage/athena/a`)],
    ['SageMakerRole', 's3:PutObject', s3(`${bucket}/prestage/runs/a/run.json`)],
    ['SageMakerRole', 's3:PutObject', s3(`${bucket}/prestage/bulk/a/pairs/train/a.csv`)],
    ['SageMakerRole', 's3:GetObject', s3(`${bucket}/prestage/bulk/a/staged/a.json.gz`)],
    ['SageMakerRole', 's3:GetObject', s3(`${bucket}/prestage/runs/a/scores/verdicts.ndjson`)],
    ['SageMakerRole', 's3:DeleteObject', s3(`${bucket}/prestage/runs/a/model/model.tar.gz`)],
    ['SageMakerRole', 'kms:Decrypt', LOGS_KEY],
    ['SageMakerRole', 'kms:CreateGrant', key],
    ['SageMakerRole', 'ec2:CreateNetworkInterface', arn('ec2', 'subnet/subnet-9'), inVpc('vpc-99')],
    ['SageMakerRole', 'ec2:DeleteNetworkInterface', arn('ec2', 'network-interface/eni-9'), inVpc('vpc-99')],
    ['SageMakerRole', 'ec2:DescribeVpcs', '*', { 'ec2:Region': 'eu-west-1' }],
    ['SageMakerRole', 'ec2:RunInstances', arn('ec2', 'subnet/subnet-1'), inVpc('vpc-0a1b2c3d')],
    ['SageMakerRole', 'ecr:BatchGetImage', arn('ecr', 'repository/payments')],
    ['SageMakerRole', 'logs:PutLogEvents', arn('logs', 'log-group:/aws/lambda/a:log-stream:b')],
    [
      'SageMakerRole',
      'cloudwatch:PutMetricData',
      arn('cloudwatch', 'dataset/1'),
      { 'cloudwatch:namespace': 'AWS/Billing' },
    ],
    ['ec2.amazonaws.com', 'sts:AssumeRole', sagemaker, { 'aws:SourceAccount': ACCOUNT }],
    ['sagemaker.amazonaws.com', 'sts:AssumeRole', batch, { 'aws:SourceAccount': ACCOUNT }],
    ['sagemaker.amazonaws.com', 'sts:AssumeRole', sagemaker, { 'aws:SourceAccount': '999999999999' }],
    ['batchoperations.s3.amazonaws.com', 'sts:AssumeRole', batch, { 'aws:SourceAccount': '999999999999' }],
  ]
}
