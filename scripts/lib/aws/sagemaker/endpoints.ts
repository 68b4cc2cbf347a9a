import { setTimeout } from 'node:timers/promises'
import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  type CreateEndpointConfigCommandInput,
  CreateModelCommand,
  type CreateModelCommandInput,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommand,
  ListTagsCommand,
  type SageMakerClient,
  type Tag,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker'
import type { Waiting } from '../../cli/host.ts'
import { detailsOf } from '../errors.ts'
import { aboutSagemaker, answered, ifThere, onceVisible, unlessTaken, untilVisible, watched } from './calls.ts'
import { RUN_TAG, WORKSPACE_TAG } from './names.ts'

export type EndpointState = DescribeEndpointCommandOutput

/** States in which an endpoint stays until somebody asks for something. */
const SETTLED = /^(InService|OutOfService|Failed|UpdateRollbackFailed)$/

/** Endpoints in SageMaker and what they are made of. Every failure is explained; what exists already is no failure. */
export class Endpoints {
  readonly #client: SageMakerClient
  readonly #host: Waiting
  readonly #onState: (text: string) => void

  constructor(client: SageMakerClient, host: Waiting, onState: (text: string) => void = () => {}) {
    this.#client = client
    this.#host = host
    this.#onState = onState
  }

  /** Undefined when there is none. */
  look(EndpointName: string): Promise<EndpointState | undefined> {
    const answer = ifThere(this.#client.send(new DescribeEndpointCommand({ EndpointName })))
    return answered(answer, aboutSagemaker('endpoint', EndpointName, 'DescribeEndpoint'))
  }

  /** Waits until nothing goes on at an endpoint. A stop only ends the wait. */
  async settled(name: string): Promise<EndpointState | undefined> {
    return watched(
      async () => {
        this.#host.signal.throwIfAborted()
        const state = await this.look(name)
        this.#onState(`endpoint ${name} ${state?.EndpointStatus ?? 'is not there'}`)
        return state
      },
      (state) => state === undefined || SETTLED.test(state.EndpointStatus ?? ''),
      this.#host.sleep,
    )
  }

  /** Tags of an endpoint or a configuration. */
  async tags(ResourceArn: string): Promise<Record<string, string>> {
    const answer = this.#client.send(new ListTagsCommand({ ResourceArn, MaxResults: 50 }))
    const { Tags = [] } = await answered(answer, aboutSagemaker('endpoint', ResourceArn, 'ListTags'))
    return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]))
  }

  /** Adds tags to an endpoint or a configuration. */
  async tag(ResourceArn: string, Tags: Tag[]): Promise<void> {
    const answer = this.#client.send(new AddTagsCommand({ ResourceArn, Tags }))
    await answered(answer, aboutSagemaker('endpoint', ResourceArn, 'AddTags'))
  }

  async createModel(request: CreateModelCommandInput): Promise<void> {
    const answer = this.#client.send(new CreateModelCommand(request))
    await answered(unlessTaken(answer), aboutSagemaker('model', request.ModelName ?? '', 'CreateModel'))
  }

  async createConfig(request: CreateEndpointConfigCommandInput): Promise<void> {
    const call = () => this.#client.send(new CreateEndpointConfigCommand(request))
    const about = aboutSagemaker('endpoint-config', request.EndpointConfigName ?? '', 'CreateEndpointConfig')
    await answered(unlessTaken(onceVisible(call, this.#host.sleep)), about)
  }

  /** Undefined when there is none. */
  async configOf(EndpointConfigName: string) {
    const answer = ifThere(this.#client.send(new DescribeEndpointConfigCommand({ EndpointConfigName })))
    return answered(answer, aboutSagemaker('endpoint-config', EndpointConfigName, 'DescribeEndpointConfig'))
  }

  /** Returns when the endpoint is visible to everybody. */
  async create(EndpointName: string, EndpointConfigName: string, Tags: Tag[]): Promise<void> {
    const call = () => this.#client.send(new CreateEndpointCommand({ EndpointName, EndpointConfigName, Tags }))
    const about = aboutSagemaker('endpoint', EndpointName, 'CreateEndpoint')
    await answered(unlessTaken(onceVisible(call, this.#host.sleep)), about)
    await untilVisible(() => this.look(EndpointName), this.#host.sleep)
  }

  /** @param RetainAllVariantProperties keeps the number of instances that scaling has come to */
  async update(EndpointName: string, EndpointConfigName: string, RetainAllVariantProperties: boolean): Promise<void> {
    const request = { EndpointName, EndpointConfigName, RetainAllVariantProperties }
    const call = () => this.#client.send(new UpdateEndpointCommand(request))
    await answered(onceVisible(call, this.#host.sleep), aboutSagemaker('endpoint', EndpointName, 'UpdateEndpoint'))
  }

  /**
   * Deletes an endpoint, and with it what costs.
   * @param sleep default: a pause that a stop does not end, so that it cannot prevent the deletion
   * @returns what is left of it when the deletion has failed
   */
  async remove(
    EndpointName: string,
    sleep: Waiting['sleep'] = (ms) => setTimeout(ms),
  ): Promise<EndpointState | undefined> {
    const look = () => this.look(EndpointName)
    // An endpoint that is being deleted refuses another request.
    if ((await look())?.EndpointStatus !== 'Deleting')
      await answered(
        this.#requestDeletion(EndpointName, sleep),
        aboutSagemaker('endpoint', EndpointName, 'DeleteEndpoint'),
      )
    return watched(look, (state) => state === undefined || state.EndpointStatus === 'Failed', sleep)
  }

  /** An endpoint that is being created may refuse its deletion (aws/amazon-sagemaker-examples#3432, undocumented) until that has ended. */
  async #requestDeletion(EndpointName: string, sleep: Waiting['sleep']): Promise<void> {
    const look = () => this.look(EndpointName)
    const request = () => ifThere(this.#client.send(new DeleteEndpointCommand({ EndpointName })))
    try {
      await request()
    } catch (error) {
      const isRefused = detailsOf(error).code === 'ValidationException'
      if (!isRefused || (await look())?.EndpointStatus !== 'Creating') throw error
      await watched(look, (now) => now?.EndpointStatus !== 'Creating', sleep)
      await request()
    }
  }

  async removeConfig(EndpointConfigName: string): Promise<void> {
    const answer = ifThere(this.#client.send(new DeleteEndpointConfigCommand({ EndpointConfigName })))
    await answered(answer, aboutSagemaker('endpoint-config', EndpointConfigName, 'DeleteEndpointConfig'))
  }
}

/** Whether prestage made it. */
export const isOurs = (tags: Record<string, string>): boolean =>
  tags[RUN_TAG] !== undefined && tags[WORKSPACE_TAG] !== undefined
