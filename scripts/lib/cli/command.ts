import type { ConfigSection } from './config.ts'
import type { Approval } from './confirm.ts'
import type { Host } from './host.ts'
import type { OptionSpecs, Values } from './options.ts'
import { noProgress, type Progress } from './progress.ts'
import { commonOptions } from './shared-options.ts'

/** What a command hands back: `json` for `--output json`, `text` for people; `next` is the command that usually follows. */
export interface CommandResult {
  readonly json: Record<string, unknown>
  readonly text: string
  readonly next?: string
  readonly exitCode?: number
}

/** The outputs of a CloudFormation stack, by name. @throws UserError when it cannot be read */
export type StackOutputs = (
  stack: string,
  aws: Readonly<Record<'profile' | 'awsRegion' | 'endpointUrl', string | undefined>>,
) => Promise<Readonly<Record<string, string>>>

/** One script's face: all that its help says and all that it does. */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly examples: readonly { readonly run: string; readonly does: string }[]
  readonly options: S
  /** Reads the outputs of a stack of `setup`, from which options without a value are taken. Absent: the command uses none. */
  readonly stackOutputs?: StackOutputs
  /** Makes the sources known that the configuration file adds, while `work` runs. Absent: the command has to do with none. */
  readonly ownSources?: <T>(section: ConfigSection | undefined, work: () => Promise<T>) => Promise<T>
  run(context: Context, options: Values<S>): Promise<CommandResult>
}

/** Options of a command by name, as code gives them. Everything that a person may type is accepted: `{ last: '24h', account: ['012345678901'] }` */
export type CallOptions<S extends OptionSpecs> = {
  readonly [K in keyof S]?: string | number | boolean | Date | readonly string[] | undefined
}

/** Declares a command; adds the options that every command has. */
export function defineCommand<const S extends OptionSpecs>(command: Command<S>): Command<S & typeof commonOptions> {
  return { ...command, options: { ...command.options, ...commonOptions } }
}

/** Talk goes to standard error: notes, warnings, and details that only `--verbose` shows. */
export interface Talk {
  info(text: string): void
  warn(text: string): void
  detail(text: string): void
}

/** What a command gets of its host. It uses the streams through `talk`, `progress` and `approve`. */
export interface Context extends Pick<Host, 'env' | 'signal' | 'owner' | 'now' | 'sleep'> {
  readonly talk: Talk
  progress(label: string, total?: number, unit?: string): Progress
  /** Completes the command lines in a text with the typed options that say where runs are and how AWS is reached. Printed text is always completed. */
  completed(text: string): string
  /** Shows the plan and returns when it may be carried out; throws Declined otherwise. */
  approve(approval: Approval): Promise<void>
}

/** A context that prints nothing, approves nothing and never stops: for tests, and as a base for other hosts. */
export function silentContext(overrides: Partial<Context> = {}): Context {
  return {
    talk: { info: () => {}, warn: () => {}, detail: () => {} },
    signal: new AbortController().signal,
    env: {},
    owner: { host: 'nowhere', pid: 0, isAlive: () => false },
    progress: () => noProgress,
    completed: (text) => text,
    approve: () => Promise.reject(new Error('nobody can be asked')),
    now: () => new Date(),
    sleep: () => Promise.resolve(),
    ...overrides,
  }
}
