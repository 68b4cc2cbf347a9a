import {
  documentedDefaults,
  type Hyperparameters,
  hyperparameterNames,
  RULES,
  validated,
} from '../../../scripts/lib/insights/hyperparameters.ts'
import { ClientError } from './csv.ts'

/** A job's hyperparameters as the container reads them. @throws ClientError that fails the job */
export function hyperparametersOf(given: Readonly<Record<string, string>>): Hyperparameters {
  const names: readonly string[] = hyperparameterNames
  const unknown = Object.keys(given).filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    const which = `(${unknown.map((name) => `'${name}'`).join(', ')} ${unknown.length > 1 ? 'were' : 'was'} unexpected)`
    throw caused(
      `Additional hyperparameters are not allowed ${which}`,
      `Additional properties are not allowed ${which}`,
    )
  }
  const absent = hyperparameterNames.find((name) => given[name] === undefined && documentedDefaults[name] === undefined)
  if (absent !== undefined)
    throw caused(
      `No value(s) were specified for '${absent}' which are required hyperparameter(s)`,
      `'${absent}' is a required property`,
    )
  const values = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, parsed(name, text)]))
  try {
    return validated(values)
  } catch (error) {
    throw new ClientError((error as Error).message)
  }
}

function parsed(name: string, text: string): number {
  const { min, max, integer } = RULES[name as keyof typeof RULES]
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  const wrong = (cause: string) => caused(`The value '${text}' is not valid for the '${name}' hyperparameter`, cause)
  if (Number.isNaN(value) || (integer && !/^[-+]?\d+$/.test(text)))
    throw wrong(`'${text}' is not of type '${integer ? 'integer' : 'number'}'`)
  if (value < min) throw wrong(`${text} is less than the minimum of ${min}`)
  if (value > max) throw wrong(`${text} is greater than the maximum of ${max}`)
  return value
}

const caused = (what: string, cause: string): ClientError =>
  new ClientError(`${what} (caused by ValidationError)\n\nCaused by: ${cause}`)
