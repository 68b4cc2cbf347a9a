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

/** What a stack is to become. */
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
  /** What becomes of it when it is removed. */
  readonly policy: 'Delete' | 'Retain' | undefined
}

export interface ChangeSet {
  readonly id: string
  readonly name: string
  readonly type: 'CREATE' | 'UPDATE'
  readonly target: Target
  readonly changes: readonly Change[]
  /** Changes not even an output. */
  readonly isEmpty: boolean
  readonly created: Date
  status: 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED'
  execution: 'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_COMPLETE'
  reason: string | undefined
}

/** One thing left to do; returns what follows at once, in place of the rest, when it fails. */
export type Work = () => Work[] | undefined

export interface Stack {
  readonly id: string
  readonly name: string
  readonly created: Date
  status: string
  reason: string | undefined
  target: Target
  outputs: Readonly<Record<string, string>>
  readonly made: Map<string, Made>
  /** What somebody did to resources behind the back of the stack, by logical id: deleted, paths of properties, or who knows. */
  readonly drifts: Map<string, 'deleted' | 'unknown' | readonly string[]>
  readonly events: Event[]
  readonly changeSets: Map<string, ChangeSet>
  /** What is still to be done, in order. */
  work: Work[]
}

export const EMPTY: Target = { template: { Resources: {} }, parameters: {}, tags: [] }

export const same = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)
