import type { Members } from '../cloudformation/template.ts'
import { AwsError } from '../http.ts'
import type { CodeBuild } from './codebuild.ts'

/** What CloudFormation has at hand for a resource of these services. */
export interface Place {
  readonly codebuild: CodeBuild
  /** Name of the resource. */
  readonly name: string
  readonly properties: Members
  /** Services that a role of the account trusts; undefined when there is no such role. */
  trusts(roleArn: string): string | undefined
}

const refuse = (message: string): AwsError => new AwsError('InvalidRequest', 400, message)

const inRange = (value: unknown, least: number, most: number): boolean =>
  value === undefined || (Number.isInteger(value) && Number(value) >= least && Number(value) <= most)

/** "CreateProject" and "ProjectSource", CodeBuild API reference. @throws AwsError for what CodeBuild refuses */
function project({ codebuild, name, properties, trusts }: Place): void {
  const { ServiceRole, TimeoutInMinutes, QueuedTimeoutInMinutes, ConcurrentBuildLimit } = properties
  const source = properties.Source as Members
  const environment = properties.Environment as Members
  const logs = ((properties.LogsConfig as Members).CloudWatchLogs as Members).GroupName
  if (!/^[A-Za-z0-9][\w-]{1,149}$/.test(name)) throw refuse(`Invalid project name: ${name}`)
  if (!inRange(TimeoutInMinutes, 5, 2160)) throw refuse('Invalid timeout')
  if (!inRange(QueuedTimeoutInMinutes, 5, 480)) throw refuse('Invalid queued timeout')
  if (!/^[^/]+\/.+\.zip$/.test(String(source.Location)))
    throw refuse('Invalid project source: location must be a valid S3 source')
  if (!trusts(String(ServiceRole))?.includes('codebuild.amazonaws.com'))
    throw refuse('CodeBuild is not authorized to perform: sts:AssumeRole on service role')
  const variables = (environment.EnvironmentVariables ?? []) as Members[]
  codebuild.projects.set(name, {
    name,
    role: String(ServiceRole),
    source: String(source.Location),
    buildspec: String(source.BuildSpec),
    environment: Object.fromEntries(variables.map(({ Name, Value }) => [String(Name), String(Value)])),
    logGroup: String(logs),
    mostBuilds: ConcurrentBuildLimit === undefined ? undefined : Number(ConcurrentBuildLimit),
  })
}

const CRON = /^cron\((\d|[1-5]\d) (\d|1\d|2[0-3]) \* \* \? \*\)$/

/** "Schedule types" and "Templated targets", Scheduler user guide. @throws AwsError for what Scheduler refuses */
function schedule({ codebuild, name, properties, trusts }: Place): void {
  const { ScheduleExpression, ScheduleExpressionTimezone } = properties
  const { Arn, RoleArn } = properties.Target as Members
  if (!CRON.test(String(ScheduleExpression))) throw refuse(`Invalid Schedule Expression ${ScheduleExpression}.`)
  if (ScheduleExpressionTimezone !== 'UTC') throw refuse('this sandbox knows no time zone but UTC')
  if (!trusts(String(RoleArn))?.includes('scheduler.amazonaws.com'))
    throw refuse('The execution role you provide must allow AWS EventBridge Scheduler to assume the role.')
  if (![...codebuild.projects.keys()].some((project) => codebuild.arn(project) === Arn))
    throw refuse(`Provided Arn is not in correct format: ${Arn}`)
  codebuild.schedules.set(name, { expression: String(ScheduleExpression), target: String(Arn), role: String(RoleArn) })
}

/** "InputTransformer", EventBridge API reference. @throws AwsError for what EventBridge refuses */
function rule({ codebuild, name, properties }: Place): void {
  const [target = {}] = properties.Targets as Members[]
  const { InputPathsMap, InputTemplate } = target.InputTransformer as Members
  const [paths, template] = [InputPathsMap as Readonly<Record<string, string>>, String(InputTemplate)]
  const unknown = [...template.matchAll(/<([\w.-]+)>/g)].find(([, variable = '']) => !Object.hasOwn(paths, variable))
  if (unknown !== undefined) throw refuse(`Invalid InputTemplate: ${unknown[0]}`)
  if (template.length > 8192 || !/^"[^"]*"$/.test(template)) throw refuse('Invalid InputTemplate')
  const arn = ruleArn(codebuild, name)
  codebuild.rules.set(name, { arn, pattern: properties.EventPattern, topic: String(target.Arn), paths, template })
}

const ruleArn = ({ s3 }: CodeBuild, name: string): string => s3.arn('events', `rule/${name}`)

/** "Subscribe", SNS API reference. @throws AwsError for what SNS refuses */
function subscription({ codebuild, name, properties }: Place): void {
  const { Protocol, Endpoint, TopicArn } = properties
  if (Protocol !== 'email' || !/^\S+@\S+$/.test(String(Endpoint))) throw refuse('Invalid parameter: Email address')
  codebuild.subscriptions.set(name, { topic: String(TopicArn), endpoint: String(Endpoint) })
}

/** "PutMetricAlarm", CloudWatch API reference. @throws AwsError for what CloudWatch refuses */
function alarm({ codebuild, name, properties }: Place): void {
  const { Period, EvaluationPeriods, TreatMissingData = 'missing', AlarmActions, InsufficientDataActions } = properties
  const { Namespace, MetricName, Statistic, ComparisonOperator, Threshold, AlarmDescription } = properties
  const [[dimension = {}], period, periods] = [
    properties.Dimensions as Members[],
    Number(Period),
    Number(EvaluationPeriods),
  ]
  const kind = [Namespace, MetricName, Statistic, ComparisonOperator, dimension.Name].join()
  if (kind !== 'AWS/CodeBuild,Builds,Sum,LessThanThreshold,ProjectName')
    throw refuse(`this sandbox knows no alarm on ${kind}`)
  if (period % 60 !== 0 || period * periods > (period < 3600 ? 86_400 : 604_800)) throw refuse('Invalid period')
  if (!['missing', 'breaching', 'notBreaching', 'ignore'].includes(String(TreatMissingData)))
    throw refuse('Invalid TreatMissingData')
  const actions = { ALARM: AlarmActions as string[], INSUFFICIENT_DATA: InsufficientDataActions as string[] }
  const stranger = [actions.ALARM, actions.INSUFFICIENT_DATA]
    .flat()
    .find((arn) => arn && !arn.startsWith('arn:aws:sns:'))
  if (stranger !== undefined) throw refuse(`Invalid arn syntax: ${stranger}`)
  codebuild.alarms.set(name, {
    arn: codebuild.s3.arn('cloudwatch', `alarm:${name}`),
    description: String(AlarmDescription),
    project: String(dimension.Value),
    ...{ period, periods, threshold: Number(Threshold), missing: String(TreatMissingData), actions },
    state: codebuild.alarms.get(name)?.state ?? 'INSUFFICIENT_DATA',
  })
}

/** How a resource of these services comes to be. */
export const MAKERS: Readonly<Record<string, (place: Place) => void>> = {
  'AWS::CodeBuild::Project': project,
  'AWS::Scheduler::Schedule': schedule,
  'AWS::Events::Rule': rule,
  'AWS::SNS::Subscription': subscription,
  'AWS::CloudWatch::Alarm': alarm,
}

/** Where such a resource is while it exists. */
export const placeOf = (codebuild: CodeBuild, type: string): Map<string, unknown> | undefined =>
  ({
    'AWS::CodeBuild::Project': codebuild.projects,
    'AWS::Scheduler::Schedule': codebuild.schedules,
    'AWS::Events::Rule': codebuild.rules,
    'AWS::SNS::Subscription': codebuild.subscriptions,
    'AWS::CloudWatch::Alarm': codebuild.alarms,
  })[type]
