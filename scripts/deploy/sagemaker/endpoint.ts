import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointConfigCommand,
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommand,
  ListTagsCommand,
  type SageMakerClient,
  type Tag,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker'
import { deleteEndpoint } from '../../lib/aws/sagemaker/delete-endpoint.ts'
import {
  answered,
  ifThere,
  inSight,
  isTaken,
  RUN_TAG,
  restingOnNew,
  WORKSPACE_TAG,
  watched,
} from '../../lib/aws/sagemaker/jobs.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { offersServerless } from './serverless-regions.ts'
import { configRequest, type Hardware, modelRequest, type Order } from './spec.ts'

export type EndpointState = DescribeEndpointCommandOutput

/** Where an endpoint stays until somebody asks for something. */
const SETTLED = /^(InService|OutOfService|Failed|UpdateRollbackFailed)$/

/** Endpoints in SageMaker and what they are made of. Every failure is explained; what was made already is no failure. */
export class Endpoints {
  readonly #client: SageMakerClient
  readonly #signal: AbortSignal
  readonly #onState: (text: string) => void

  constructor(client: SageMakerClient, signal: AbortSignal, onState: (text: string) => void) {
    this.#client = client
    this.#signal = signal
    this.#onState = onState
  }

  /** Undefined when there is none. */
  look(EndpointName: string): Promise<EndpointState | undefined> {
    const asked = ifThere(this.#client.send(new DescribeEndpointCommand({ EndpointName })))
    return answered(asked, about('endpoint', EndpointName, 'DescribeEndpoint'))
  }

  /** Waits until nothing goes on at an endpoint. A stop ends the waiting alone. */
  async settled(name: string): Promise<EndpointState | undefined> {
    return watched(
      async () => {
        this.#signal.throwIfAborted()
        const state = await this.look(name)
        this.#onState(`endpoint ${name} ${state?.EndpointStatus ?? 'is not there'}`)
        return state
      },
      (state) => state === undefined || SETTLED.test(state.EndpointStatus ?? ''),
      this.#signal,
    )
  }

  /** Tags of an endpoint or a configuration. */
  async tags(ResourceArn: string): Promise<Record<string, string>> {
    const { Tags = [] } = await answered(
      this.#client.send(new ListTagsCommand({ ResourceArn, MaxResults: 50 })),
      about('endpoint', ResourceArn, 'ListTags'),
    )
    return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]))
  }

  /** Says whose an endpoint is from now on: that of the run which is in service. */
  async claim(ResourceArn: string, Tags: Tag[]): Promise<void> {
    const asked = this.#client.send(new AddTagsCommand({ ResourceArn, Tags }))
    await answered(asked, about('endpoint', ResourceArn, 'AddTags'))
  }

  async model(order: Order, role: string): Promise<void> {
    const request = modelRequest(order, role)
    await this.#made(
      this.#client.send(new CreateModelCommand(request)),
      about('model', request.ModelName ?? '', 'CreateModel'),
    )
  }

  async config(order: Order, role: string, name: string, hardware: Hardware): Promise<void> {
    const ask = () => this.#client.send(new CreateEndpointConfigCommand(configRequest(order, role, name, hardware)))
    const made = this.#made(restingOnNew(ask, this.#signal), about('endpoint-config', name, 'CreateEndpointConfig'))
    if (!('memoryMB' in hardware) || offersServerless(order.region)) return made
    return made.catch((error: unknown) => {
      throw new UserError(messageOf(error), {
        hint: `serverless endpoints are documented for other regions than ${order.region}: name an --instance-type`,
        cause: error,
      })
    })
  }

  /** Undefined when there is none. */
  async configOf(EndpointConfigName: string) {
    const asked = ifThere(this.#client.send(new DescribeEndpointConfigCommand({ EndpointConfigName })))
    return answered(asked, about('endpoint-config', EndpointConfigName, 'DescribeEndpointConfig'))
  }

  /** Returns when the endpoint is there for everybody. */
  async create(EndpointName: string, EndpointConfigName: string, Tags: Tag[]): Promise<void> {
    const ask = () => this.#client.send(new CreateEndpointCommand({ EndpointName, EndpointConfigName, Tags }))
    await this.#made(restingOnNew(ask, this.#signal), about('endpoint', EndpointName, 'CreateEndpoint'))
    await inSight(() => this.look(EndpointName), this.#signal)
  }

  async update(EndpointName: string, EndpointConfigName: string): Promise<void> {
    const ask = () => this.#client.send(new UpdateEndpointCommand({ EndpointName, EndpointConfigName }))
    await answered(restingOnNew(ask, this.#signal), about('endpoint', EndpointName, 'UpdateEndpoint'))
  }

  /** Deletes an endpoint, and with it what costs; a stop does not keep it from that. */
  async remove(EndpointName: string): Promise<void> {
    const look = () => this.look(EndpointName)
    const { signal } = new AbortController()
    // One that is on its way out is not to be asked again.
    if ((await look())?.EndpointStatus !== 'Deleting') {
      const asked = deleteEndpoint(this.#client, EndpointName, look, signal)
      await answered(asked, about('endpoint', EndpointName, 'DeleteEndpoint'))
    }
    await watched(look, (state) => state === undefined || state.EndpointStatus === 'Failed', signal)
  }

  async removeConfig(EndpointConfigName: string): Promise<void> {
    const asked = ifThere(this.#client.send(new DeleteEndpointConfigCommand({ EndpointConfigName })))
    await answered(asked, about('endpoint-config', EndpointConfigName, 'DeleteEndpointConfig'))
  }

  /** Names come from what is asked for: what has the name is what is wanted. */
  async #made(asked: Promise<unknown>, what: Parameters<typeof answered>[1]): Promise<void> {
    try {
      await asked
    } catch (error) {
      if (!isTaken(error)) await answered(Promise.reject(error), what)
    }
  }
}

/** Whether prestage made it. */
export const isOurs = (tags: Record<string, string>): boolean =>
  tags[RUN_TAG] !== undefined && tags[WORKSPACE_TAG] !== undefined

/** @param named by its name or its ARN */
function about(kind: string, named: string, action: string) {
  const name = named.slice(named.lastIndexOf('/') + 1)
  return {
    what: `${kind.replace('-', ' ')} ${name}`,
    action: `sagemaker:${action}`,
    resource: `arn:aws:sagemaker:*:*:${kind}/${name}`,
  }
}
