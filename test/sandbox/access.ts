import { AsyncLocalStorage } from 'node:async_hooks'

/** A question to IAM: may this principal do this to this resource? */
export interface Access {
  /** ARN of a user or a role; for `sts:AssumeRole` the service that takes the role. */
  readonly principal: string
  readonly action: string
  /** An ARN, or `*` for an action without resources. */
  readonly resource: string
  /** Condition keys of the request, except those that all requests have. */
  readonly context: Readonly<Record<string, string>>
  /** The API operation that led to it; for the work of a job, the one that started it. */
  readonly operation: string
}

/** What IAM is to be asked about, where a sandbox names its resources shorter than AWS does. */
export interface Asked {
  readonly arn?: string
  readonly context?: Readonly<Record<string, string>>
}

/** The name that scripts under test give themselves in `AWS_SDK_UA_APP_ID`. */
export const APP = 'script-under-test'

/** The operation that is being carried out, and whether a script under test requested it. */
export const underWay = new AsyncLocalStorage<{ readonly operation: string; readonly isOfScript: boolean }>()

/** What all sandboxes of this process have asked for scripts, once for each kind of place in a bucket. */
const ofScripts = new Map<string, Access>()
export const askedForScripts = (): readonly Access[] => [...ofScripts.values()]

function note(access: Access): void {
  const { 's3:prefix': prefix } = access.context
  const context = prefix === undefined ? access.context : { ...access.context, 's3:prefix': place(prefix, 3) }
  const resource = access.resource.startsWith('arn:aws:s3:::') ? place(access.resource, 6) : access.resource
  const alike = { ...access, context, resource }
  ofScripts.set(JSON.stringify(alike), alike)
}

/** The first parts of a key, and that there are more. */
function place(key: string, parts: number): string {
  const all = key.split('/')
  return all.length <= parts ? key : `${all.slice(0, parts).join('/')}/more`
}

/** What a sandbox has asked since recording began, each once and in order. */
export class Accesses {
  readonly #all = new Map<string, Access>()
  #isOn = false

  record(): void {
    this.#isOn = true
  }

  get all(): readonly Access[] {
    return [...this.#all.values()]
  }

  add(principal: string, action: string, resource: string, context: Access['context']): void {
    const { operation, isOfScript } = underWay.getStore() ?? { operation: 'a job', isOfScript: false }
    const access = { principal, action, resource, context, operation }
    if (isOfScript) note(access)
    if (this.#isOn) this.#all.set(JSON.stringify(access), access)
  }
}
