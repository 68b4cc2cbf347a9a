import { AwsError, type Reply } from './http.ts'

/** Status 200 stands for the error document that CopyObject can return with that status. */
export interface Refusal {
  readonly code: string
  readonly status: number
  readonly message?: string
}

/** An answer with its body as text. */
export interface TextReply extends Reply {
  readonly body: string
}

/** Which requests a fault affects, and how. Absent conditions match every request. */
export interface Fault {
  readonly operation?: string | readonly string[]
  /** Tested against `bucket/key`, or the job id. */
  readonly resource?: string | RegExp
  /** The first of the matching requests that fails, from 1. */
  readonly nth?: number
  /** How many of them fail from there on; all when absent. */
  readonly times?: number
  /** Milliseconds before anything else happens. */
  readonly delay?: number
  readonly error?: Refusal
  /** Gives another answer in place of the sandbox's own: AWS as it is not believed to be. */
  readonly instead?: (reply: TextReply) => Reply
  /** Break the connection: unread, after the work was done but before the answer, or after so many bytes of the body. */
  readonly cut?: 'before' | 'after' | { readonly bytes: number }
}

export const slowDown: Refusal = { code: 'SlowDown', status: 503, message: 'Please reduce your request rate.' }
export const internalError: Refusal = {
  code: 'InternalError',
  status: 500,
  message: 'We encountered an internal error. Please try again.',
}
export const expiredToken: Refusal = {
  code: 'ExpiredToken',
  status: 400,
  message: 'The provided token has expired.',
}

type Asked = { readonly operation: string; readonly resource: string }

/** A caller that dies: it sends nothing more, and receives no answers. */
export interface Death {
  /** Whether it is dead by now: its requests are no longer carried out. */
  isDead(): boolean
  /** Called after a call was carried out: true when the caller receives no answer. */
  strikes(call: Asked, reply: Reply): Promise<boolean>
}

function concerns(fault: Fault, { operation, resource }: Asked): boolean {
  const { operation: wanted, resource: where } = fault
  if (wanted !== undefined && ![wanted].flat().includes(operation)) return false
  if (where === undefined) return true
  return typeof where === 'string' ? resource === where : where.test(resource)
}

/** The faults of a sandbox. The first one that is due affects a request; all count it. */
export class Faults {
  #rules: { fault: Fault; met: number; done: number }[] = []
  /** Its connections stay open until it closes them. */
  death: Death | undefined

  /** @returns takes the fault away again, and says how often it struck */
  add(fault: Fault): { remove(): void; struck(): number } {
    const rule = { fault, met: 0, done: 0 }
    this.#rules.push(rule)
    return {
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== rule)
      },
      struck: () => rule.done,
    }
  }

  clear(): void {
    this.#rules = []
    this.death = undefined
  }

  next(asked: Asked): Fault | undefined {
    const concerned = this.#rules.filter((rule) => concerns(rule.fault, asked))
    for (const rule of concerned) rule.met++
    const due = concerned.find(
      ({ fault, met, done }) => met >= (fault.nth ?? 1) && done < (fault.times ?? Number.POSITIVE_INFINITY),
    )
    if (due !== undefined) due.done++
    return due?.fault
  }
}

export const errorOf = ({ code, status, message }: Refusal): AwsError => new AwsError(code, status, message ?? code)
