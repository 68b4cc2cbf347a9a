import { AsyncLocalStorage } from 'node:async_hooks'

/** Something that IAM was asked: may this one do that to this resource? */
export interface Access {
  /** ARN of a user or a role; for `sts:AssumeRole` the service that takes the role. */
  readonly principal: string
  readonly action: string
  /** An ARN, or `*` for an action that knows no resources. */
  readonly resource: string
  /** Condition keys of the request, but for those that all requests have. */
  readonly context: Readonly<Record<string, string>>
  /** The API operation that led to it; of what a job does, the one that set it going. */
  readonly operation: string
}

/** What IAM is to be asked about, where a sandbox names its resources shorter than AWS does. */
export interface Asked {
  readonly arn?: string
  readonly context?: Readonly<Record<string, string>>
}

/** The operation that is being done. */
export const underWay = new AsyncLocalStorage<string>()

/** What a sandbox has asked, each once and in order, from when somebody wants to know. */
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
    if (!this.#isOn) return
    const access = { principal, action, resource, context, operation: underWay.getStore() ?? 'a job' }
    this.#all.set(JSON.stringify(access), access)
  }
}
