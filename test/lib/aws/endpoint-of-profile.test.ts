import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { DescribeEndpointCommand } from '@aws-sdk/client-sagemaker'
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime'
import { s3Client, sagemakerClient, sagemakerRuntimeClient } from '../../../scripts/lib/aws/clients.ts'
import { tempFolder } from '../../support/temp.ts'

/** A server that refuses everything and counts what it was asked. */
async function server() {
  const counted = { url: '', requests: 0 }
  const listening = createServer((_, response) => {
    counted.requests += 1
    response.writeHead(403).end()
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  after(() => listening.close().closeAllConnections())
  counted.url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
  return counted
}

const [ofProfile, ofServices, ofVariable] = [await server(), await server(), await server()]
const servers = [ofProfile, ofServices, ofVariable]
const KEYS = 'region = eu-west-1\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret'
const config = join(tempFolder(), 'config')
writeFileSync(
  config,
  `[profile one]
${KEYS}
endpoint_url = ${ofProfile.url}
[profile two]
${KEYS}
endpoint_url = ${ofProfile.url}
services = local
[profile broken]
${KEYS}
services = nowhere
[services local]
s3 =
  endpoint_url = ${ofServices.url}
sagemaker_runtime =
  endpoint_url = ${ofServices.url}
`,
)

const environment = process.env
beforeEach(() => {
  const others = Object.entries(environment).filter(([name]) => !/^AWS_(?!SDK)/.test(name))
  process.env = { ...Object.fromEntries(others), AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }
  for (const one of servers) one.requests = 0
})
after(() => {
  process.env = environment
})

// The region of a bucket is only asked for once.
let buckets = 0

/** Asks SageMaker, its runtime and S3 once each. @returns how many requests each server got */
async function asked(profile: string): Promise<number[]> {
  const sagemaker = await sagemakerClient({ profile }, 'eu-west-1')
  const runtime = await sagemakerRuntimeClient({ profile }, 'eu-west-1')
  await assert.rejects(sagemaker.send(new DescribeEndpointCommand({ EndpointName: 'e' })))
  await assert.rejects(runtime.send(new InvokeEndpointCommand({ EndpointName: 'e', Body: new Uint8Array() })))
  const s3 = await s3Client({ profile }, `logs-${++buckets}`)
  assert.equal(s3.config.forcePathStyle, true)
  return servers.map(({ requests }) => requests)
}

test('the endpoint_url of --profile is asked', async () => assert.deepEqual(await asked('one'), [3, 0, 0]))

test('an address of a single service in its services section comes first', async () =>
  assert.deepEqual(await asked('two'), [1, 2, 0]))

test('a variable of the environment wins over the profile', async () => {
  process.env.AWS_ENDPOINT_URL_S3 = ofVariable.url
  process.env.AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME = ofVariable.url
  assert.deepEqual(await asked('two'), [1, 0, 2])
})

test('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS leaves it out', async () => {
  process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = 'true'
  const { config } = await sagemakerClient({ profile: 'one' }, 'eu-west-1')
  assert.equal(
    await (config as { serviceConfiguredEndpoint?(): Promise<unknown> }).serviceConfiguredEndpoint?.(),
    undefined,
  )
})

test('a services section that does not exist is an error, not a request to AWS', async () => {
  const sagemaker = await sagemakerClient({ profile: 'broken' }, 'eu-west-1')
  await assert.rejects(sagemaker.send(new DescribeEndpointCommand({ EndpointName: 'e' })), {
    name: 'UsageError',
    message: 'profile broken has services = nowhere, but the AWS configuration file has no section [services nowhere]',
  })
})
