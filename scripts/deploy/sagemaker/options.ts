import { flag, number, type Option, parsed, text } from '../../lib/cli/options.ts'
import { sagemakerOptions } from '../../lib/cli/shared-options.ts'
import { spanIn } from '../../lib/runs/window.ts'

export interface Range {
  readonly min: number
  readonly max: number
}

function rangeOf(input: string): Range {
  const [, low, high] = /^(\d{1,4}):(\d{1,4})$/.exec(input) ?? []
  const [min, max] = [Number(low ?? 0), Number(high ?? 0)]
  if (min < 1 || max < min) throw new Error('must be MIN:MAX, for example 1:4')
  return { min, max }
}

const span = (about: string): Option<number | undefined> =>
  parsed({
    about,
    value: 'SPAN',
    parse: (input): number => {
      const ms = spanIn(input)
      if (ms === undefined) throw new Error('must be a span: 30m, 2h, 1d')
      return ms
    },
  })

export const sagemakerDeployOptions = {
  endpoint: text({ about: 'in SageMaker: name of the endpoint (default: prestage-<source>)', value: 'NAME' }),
  memory: number({
    about: 'of a serverless endpoint, in MB (default: by the size of the model)',
    value: 'MB',
    min: 1024,
    max: 6144,
    integer: true,
  }),
  ...sagemakerOptions,
  instanceCount: number({ about: 'with --instance-type: instances', default: 1, min: 1, max: 100, integer: true }),
  autoscale: parsed({
    about: 'with --instance-type: between so many instances, by the requests that come',
    value: 'MIN:MAX',
    parse: rangeOf,
  }),
  alertsPerDay: number({
    about: 'in SageMaker: alerts a day that somebody can look at; sets the threshold',
    default: 10,
    min: 0,
  }),
  force: flag({ about: 'replace the model in service by a worse one, too, or one that takes a line that is no pair' }),
  rollback: flag({ about: 'go back to the configuration that was in service before' }),
  keep: flag({ about: 'leave the endpoint in service (the default)' }),
  deleteAfter: span('wait so long, then delete the endpoint; also on Ctrl-C'),
}
