import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { DescribeEndpointCommand } from '@aws-sdk/client-sagemaker'
import { partitionOf } from '../../scripts/lib/aws/arn.ts'
import { cloudFormationClient, s3Client, sagemakerClient } from '../../scripts/lib/aws/clients.ts'
import { explained } from '../../scripts/lib/aws/errors.ts'
import type { UserError } from '../../scripts/lib/cli/errors.ts'
import { defaultCredentials } from './identity.ts'

const partitions: [region: string, partition: string][] = [
  ['us-east-1', 'aws'],
  ['eu-central-2', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['us-iso-east-1', 'aws-iso'],
  ['us-isob-east-1', 'aws-iso-b'],
  ['us-isof-south-1', 'aws-iso-f'],
  ['eu-isoe-west-1', 'aws-iso-e'],
  ['eusc-de-east-1', 'aws-eusc'],
]

describe('partitions', () => {
  // Refuses without a word, as S3 does a HEAD.
  const server = createServer((_, response) => response.writeHead(403).end())
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const environment = { ...process.env }

  before(async () => {
    const { accessKey, secret } = defaultCredentials()
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secret })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  after(() => {
    process.env = environment
    server.close()
  })

  for (const [region, partition] of partitions) {
    it(`the one of ${region}`, () => assert.equal(partitionOf(region), partition))

    const settings = () => ({ awsRegion: region, endpointUrl: url() })
    const asks: [service: string, ask: () => Promise<unknown>][] = [
      [
        's3',
        async () => (await s3Client(settings(), 'logs')).send(new HeadObjectCommand({ Bucket: 'logs', Key: 'k' })),
      ],
      [
        'sagemaker',
        async () =>
          (await sagemakerClient(settings(), region)).send(new DescribeEndpointCommand({ EndpointName: 'e' })),
      ],
      [
        'cloudformation',
        async () =>
          (await cloudFormationClient(settings(), region)).send(new DescribeStacksCommand({ StackName: 's' })),
      ],
    ]
    for (const [service, ask] of asks)
      it(`a refusal of ${service} in ${region} names things there`, async () => {
        const refusal = await ask().catch((error) =>
          explained(error, { what: 'it', action: `${service}:Get`, resource: `arn:aws:${service}:::thing` }),
        )
        assert.equal((refusal as UserError).hint, `ask for ${service}:Get on arn:${partition}:${service}:::thing`)
        assert.match(String(refusal), new RegExp(`lacks ${service}:Get on arn:${partition}:${service}:::thing`))
      })
  }
})
