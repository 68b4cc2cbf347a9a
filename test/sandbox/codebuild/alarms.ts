import type { CodeBuild } from './codebuild.ts'

type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'

/** An alarm on the builds of a project that begin, and whom it tells when it comes into a state. */
export interface Alarm {
  readonly arn: string
  readonly description: string
  readonly project: string
  /** Seconds. */
  readonly period: number
  readonly periods: number
  readonly threshold: number
  readonly missing: string
  readonly actions: Readonly<Partial<Record<State, readonly string[]>>>
  state: State
}

/**
 * Evaluates the alarms, as CloudWatch does by itself. "Builds" in "Monitoring builds", CodeBuild user guide: a period in which none begins
 * has no data. "Configuring how CloudWatch alarms treat missing data", CloudWatch user guide; older data than that of the periods is not asked for.
 */
export function lookAtAlarms(codebuild: CodeBuild): void {
  const { account } = codebuild.s3
  for (const alarm of codebuild.alarms.values()) {
    const state = stateOf(codebuild, alarm)
    if (state === alarm.state) continue
    alarm.state = state
    const message = JSON.stringify({ AlarmDescription: alarm.description, NewStateValue: state })
    for (const topic of alarm.actions[state] ?? [])
      codebuild.publish({ account, arn: 'cloudwatch.amazonaws.com' }, topic, message, {
        subject: `${state}: "${alarm.arn.split(':').at(-1)}"`,
        context: { 'aws:SourceArn': alarm.arn, 'aws:SourceAccount': account },
      })
  }
}

function stateOf({ builds, s3 }: CodeBuild, { state, project, period, periods, threshold, missing }: Alarm): State {
  const sums = Array.from({ length: periods }, () => 0)
  for (const { project: of, started } of builds) {
    const ago = Math.floor((s3.now().getTime() - started.getTime()) / (period * 1000))
    if (of === project && ago >= 0 && ago < periods) sums[ago] = (sums[ago] ?? 0) + 1
  }
  const data = sums.filter((sum) => sum > 0)
  if (data.length === 0 && missing === 'missing') return 'INSUFFICIENT_DATA'
  if (data.length === 0 && missing === 'ignore') return state
  if (data.length < periods && missing === 'notBreaching') return 'OK'
  return data.every((sum) => sum < threshold) ? 'ALARM' : 'OK'
}
