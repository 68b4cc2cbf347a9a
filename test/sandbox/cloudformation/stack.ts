import type { Json, Members, Resource, Template } from './template.ts'

export interface Event {
  readonly id: string
  readonly time: Date
  readonly resource: string
  readonly physical: string
  readonly type: string
  readonly status: string
  readonly reason: string | undefined
}

export interface Made {
  readonly type: string
  readonly physical: string
  readonly properties: Members
  readonly declared: Resource
}

/** The target of a stack. */
export interface Target {
  readonly template: Template
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: readonly { readonly Key: string; readonly Value: string }[]
}

export type Action = 'Add' | 'Modify' | 'Remove'

export interface Change {
  readonly action: Action
  readonly id: string
  readonly type: string
  readonly physical: string | undefined
  readonly replacement: 'True' | 'False' | 'Conditional' | undefined
  /** Names of changed properties. */
  readonly properties: readonly string[]
  /** What happens to it when it is removed. */
  readonly policy: 'Delete' | 'Retain' | undefined
}

export interface ChangeSet {
  readonly id: string
  readonly name: string
  readonly type: 'CREATE' | 'UPDATE'
  readonly target: Target
  readonly changes: readonly Change[]
  /** Does not even change an output. */
  readonly isEmpty: boolean
  readonly created: Date
  status: 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED'
  execution: 'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_COMPLETE'
  reason: string | undefined
}

/** One piece of work. If it fails, it returns the work that replaces the rest. */
export type Work = () => Work[] | undefined

export interface Stack {
  readonly id: string
  readonly name: string
  readonly created: Date
  /** Undefined until an update begins. */
  updated: Date | undefined
  status: string
  reason: string | undefined
  target: Target
  outputs: Readonly<Record<string, string>>
  readonly made: Map<string, Made>
  /** Changes to resources outside the stack, by logical id: deleted, paths of properties, or unknown. */
  readonly drifts: Map<string, 'deleted' | 'unknown' | readonly string[]>
  readonly events: Event[]
  readonly changeSets: Map<string, ChangeSet>
  /** The remaining work, in order. */
  work: Work[]
}

export const EMPTY: Target = { template: { Resources: {} }, parameters: {}, tags: [] }

export const same = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)
