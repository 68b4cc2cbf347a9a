import type { Athena } from '../athena/athena.ts'
import type { CodeBuild } from '../codebuild/codebuild.ts'
import { AwsError } from '../http.ts'
import type { Caller, S3State } from '../s3/state.ts'
import { changesOf, order, resolverOf } from './changes.ts'
import { makeReal, removeReal } from './real.ts'
import { type ChangeSet, EMPTY, type Made, type Stack, type Target, type Work } from './stack.ts'

export interface CloudFormationSettings {
  /** Resources that fail, by logical id, and why. */
  failures: Record<string, string>
  /** Resources that are completed at every look at a stack or its events. */
  perLook: number
}

/** The CloudFormation of a sandbox. It advances whenever somebody looks at it. */
export class CloudFormation {
  readonly settings: CloudFormationSettings = { failures: {}, perLook: 3 }
  readonly #stacks: Stack[] = []
  readonly s3: S3State
  readonly athena: Athena
  readonly codebuild: CodeBuild
  #ids = 0

  constructor(s3: S3State, athena: Athena, codebuild: CodeBuild) {
    this.s3 = s3
    this.athena = athena
    this.codebuild = codebuild
  }

  /** Resources of a type in all stacks. */
  resources(type: string): Made[] {
    return this.#stacks.flatMap(({ made }) => [...made.values()]).filter((one) => one.type === type)
  }

  /** A stack by its name, or by its id also when it has been deleted. */
  find(name: string): Stack | undefined {
    return this.#stacks.findLast(
      (stack) => stack.id === name || (stack.name === name && stack.status !== 'DELETE_COMPLETE'),
    )
  }

  /** @throws AwsError when there is none */
  stack(name: string): Stack {
    const found = this.find(name)
    if (found === undefined) throw new AwsError('ValidationError', 400, `Stack with id ${name} does not exist`)
    return found
  }

  newId(): string {
    this.#ids++
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`
  }

  arn(kind: 'stack' | 'changeSet', name: string, region = this.s3.region): string {
    return `arn:aws:cloudformation:${region}:${this.s3.account}:${kind}/${name}/${this.newId()}`
  }

  /** For IAM, a stack that is given by name is `stack/NAME/*`: any stack of this name. @throws AwsError */
  authorize(caller: Caller, action: string, name = '*'): void {
    const isName = name !== '*' && !name.startsWith('arn:')
    const arn = isName ? this.s3.arn('cloudformation', `stack/${name}/whichever`) : name
    this.s3.authorize(caller, action, name, { arn })
  }

  add(name: string): Stack {
    const stack: Stack = {
      id: this.arn('stack', name),
      name,
      created: this.s3.now(),
      updated: undefined,
      status: 'REVIEW_IN_PROGRESS',
      reason: undefined,
      target: EMPTY,
      outputs: {},
      made: new Map(),
      drifts: new Map(),
      events: [],
      changeSets: new Map(),
      work: [],
    }
    this.#stacks.push(stack)
    return stack
  }

  forget(stack: Stack): void {
    this.#stacks.splice(this.#stacks.indexOf(stack), 1)
  }

  /** Advances a stack, as a look at it does. */
  look(stack: Stack): void {
    for (let i = 0; i < this.settings.perLook && stack.work.length > 0; i++) {
      const next = stack.work.shift()?.()
      if (next !== undefined) stack.work = next
    }
  }

  execute(stack: Stack, changeSet: ChangeSet): void {
    const [before, verb] = [stack.target, changeSet.type]
    const { target } = changeSet
    const work = order(changeSet.changes, target.template).map(
      (change): Work =>
        () => {
          const doing = { Add: 'CREATE', Modify: 'UPDATE', Remove: 'DELETE' }[change.action]
          this.#event(stack, change.id, change.type, `${doing}_IN_PROGRESS`)
          const failure =
            this.settings.failures[change.id] ??
            this.#tooLong(stack, change, target) ??
            refusalOf(() => {
              if (change.action === 'Remove') this.#remove(stack, change.id)
              else this.#make(stack, change.id, target)
            })
          if (failure === undefined) {
            this.#event(stack, change.id, change.type, `${doing}_COMPLETE`)
            return undefined
          }
          this.#event(stack, change.id, change.type, `${doing}_FAILED`, failure)
          const others = order(changeSet.changes, target.template).find(
            ({ id }) => !stack.made.has(id) && id !== change.id,
          )
          if (others !== undefined)
            this.#event(stack, others.id, others.type, `${doing}_FAILED`, 'Resource creation cancelled')
          return this.#rollback(stack, before, verb)
        },
    )
    this.#move(stack, `${verb}_IN_PROGRESS`)
    if (verb === 'UPDATE') stack.updated = this.s3.now()
    stack.target = changeSet.target
    stack.work = [...work, () => this.#done(stack, `${verb}_COMPLETE`)]
  }

  delete(stack: Stack): void {
    this.#move(stack, 'DELETE_IN_PROGRESS')
    const ids = [...stack.made.keys()].reverse()
    stack.work = [
      ...ids.map(
        (id): Work =>
          () =>
            this.#deleteOne(stack, id),
      ),
      () => {
        this.#move(stack, 'DELETE_COMPLETE')
        return undefined
      },
    ]
  }

  #deleteOne(stack: Stack, id: string): Work[] | undefined {
    const { type, declared } = stack.made.get(id) as Made
    if (declared.DeletionPolicy?.startsWith('Retain') && this.settings.failures[id] === undefined) {
      stack.made.delete(id)
      this.#event(stack, id, type, 'DELETE_SKIPPED')
      return undefined
    }
    this.#event(stack, id, type, 'DELETE_IN_PROGRESS')
    const failure = this.settings.failures[id] ?? refusalOf(() => this.#remove(stack, id))
    if (failure !== undefined) {
      this.#event(stack, id, type, 'DELETE_FAILED', failure)
      this.#move(stack, 'DELETE_FAILED', `The following resource(s) failed to delete: [${id}].`)
      return []
    }
    this.#event(stack, id, type, 'DELETE_COMPLETE')
    return undefined
  }

  #rollback(stack: Stack, before: Target, verb: ChangeSet['type']): Work[] {
    const status = verb === 'CREATE' ? 'ROLLBACK' : 'UPDATE_ROLLBACK'
    this.#move(stack, `${status}_IN_PROGRESS`, 'The following resource(s) failed. Rollback requested by user.')
    const added = [...stack.made.keys()].filter(
      (id) => verb === 'CREATE' || before.template.Resources[id] === undefined,
    )
    const work = added.reverse().map(
      (id): Work =>
        () => {
          const { type } = stack.made.get(id) as Made
          this.#remove(stack, id)
          this.#event(stack, id, type, 'DELETE_COMPLETE')
          return undefined
        },
    )
    stack.target = before
    return [...work, () => this.#done(stack, `${status}_COMPLETE`)]
  }

  #done(stack: Stack, status: string): undefined {
    const { target } = stack
    const resolver = resolverOf(this, stack, target)
    const outputs = Object.entries(target.template.Outputs ?? {}).filter(([, output]) =>
      resolver.holds(output.Condition),
    )
    if (!status.startsWith('ROLLBACK'))
      stack.outputs = Object.fromEntries(outputs.map(([name, { Value }]) => [name, String(resolver.value(Value))]))
    this.#move(stack, status)
  }

  /** IAM's error for a managed policy that is too long. */
  #tooLong(stack: Stack, { id, action, type }: ChangeSet['changes'][number], target: Target): string | undefined {
    if (type !== 'AWS::IAM::ManagedPolicy' || action === 'Remove') return undefined
    const { PolicyDocument = null } = target.template.Resources[id]?.Properties ?? {}
    const size = JSON.stringify(resolverOf(this, stack, target).value(PolicyDocument)).length
    return size <= 6144 ? undefined : 'Cannot exceed quota for PolicySize: 6144 (Service: Iam, Status Code: 409)'
  }

  #make(stack: Stack, id: string, target: Target): void {
    const declared = target.template.Resources[id]
    if (declared === undefined) throw new Error(`no resource ${id}`)
    const properties = resolverOf(this, stack, target).value(declared.Properties ?? {}) as Made['properties']
    const physical = makeReal(this, stack, id, declared.Type, properties)
    stack.made.set(id, { type: declared.Type, physical, properties, declared })
    stack.drifts.delete(id)
  }

  #remove(stack: Stack, id: string): void {
    const made = stack.made.get(id)
    if (made !== undefined) removeReal(this, made)
    stack.made.delete(id)
  }

  #move(stack: Stack, status: string, reason?: string): void {
    stack.status = status
    stack.reason = reason
    this.#event(stack, stack.name, 'AWS::CloudFormation::Stack', status, reason)
  }

  #event(stack: Stack, resource: string, type: string, status: string, reason?: string): void {
    const physical = type === 'AWS::CloudFormation::Stack' ? stack.id : (stack.made.get(resource)?.physical ?? '')
    stack.events.push({ id: this.newId(), time: this.s3.now(), resource, physical, type, status, reason })
  }

  /** The differences between a stack and its target. */
  changes(stack: Stack, target: Target, restore: boolean): ChangeSet['changes'] {
    return changesOf(this, stack, target, restore)
  }
}

/** What a service says to something that it refuses. */
function refusalOf(work: () => void): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof AwsError) return error.message
    throw error
  }
}
