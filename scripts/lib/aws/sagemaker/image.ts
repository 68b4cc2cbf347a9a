import { UserError } from '../../cli/errors.ts'

/**
 * Accounts of the registries that hold the built-in algorithm, by region. AWS keeps no list of them any more; these are those of
 * the SageMaker Python SDK (aws/sagemaker-python-sdk, image_uri_config/ipinsights.json), the same since its version 2.
 */
const REGISTRIES: Readonly<Record<string, string>> = {
  'af-south-1': '455444449433',
  'ap-east-1': '286214385809',
  'ap-northeast-1': '351501993468',
  'ap-northeast-2': '835164637446',
  'ap-northeast-3': '867004704886',
  'ap-south-1': '991648021394',
  'ap-south-2': '628508329040',
  'ap-southeast-1': '475088953585',
  'ap-southeast-2': '712309505854',
  'ap-southeast-3': '951798379941',
  'ap-southeast-4': '106583098589',
  'ca-central-1': '469771592824',
  'ca-west-1': '190319476487',
  'cn-north-1': '390948362332',
  'cn-northwest-1': '387376663083',
  'eu-central-1': '664544806723',
  'eu-central-2': '680994064768',
  'eu-north-1': '669576153137',
  'eu-south-1': '257386234256',
  'eu-south-2': '104374241257',
  'eu-west-1': '438346466558',
  'eu-west-2': '644912444149',
  'eu-west-3': '749696950732',
  'il-central-1': '898809789911',
  'me-central-1': '272398656194',
  'me-south-1': '249704162688',
  'sa-east-1': '855470959533',
  'us-east-1': '382416733822',
  'us-east-2': '404615174143',
  'us-gov-east-1': '237065988967',
  'us-gov-west-1': '226302683700',
  'us-iso-east-1': '490574956308',
  'us-isob-east-1': '765400339828',
  'us-isof-east-1': '108575199400',
  'us-isof-south-1': '124985052026',
  'us-west-1': '632365934929',
  'us-west-2': '174872318107',
}

/** Where a region's names end otherwise than in amazonaws.com. */
const SUFFIXES: readonly [RegExp, string][] = [
  [/^cn-/, 'amazonaws.com.cn'],
  [/^us-iso-/, 'c2s.ic.gov'],
  [/^us-isob-/, 'sc2s.sgov.gov'],
  [/^us-isof-/, 'csp.hci.ic.gov'],
]

/** Neighbours of the regions that SageMaker has without the algorithm, by distance on the map. */
const NEIGHBOURS: Readonly<Record<string, string>> = {
  'ap-east-2': 'ap-east-1',
  'ap-southeast-5': 'ap-southeast-1',
  'ap-southeast-6': 'ap-southeast-2',
  'ap-southeast-7': 'ap-southeast-1',
  'eusc-de-east-1': 'eu-central-1',
  'mx-central-1': 'us-west-1',
}

export const imageRegions = Object.keys(REGISTRIES)

/**
 * The image of IP Insights in a region; it trains and serves. Tag 1: `latest` may change under a model that is in service.
 * @throws UserError where the algorithm is not offered, naming the nearest region
 */
export function imageOf(region: string): string {
  const account = REGISTRIES[region]
  if (account === undefined)
    throw new UserError(`SageMaker has no IP Insights in ${region}`, {
      hint: `the nearest region that has it is ${nearestTo(region)}: put the workspace into a bucket there, or train on this machine with a local --workspace`,
    })
  const suffix = SUFFIXES.find(([regions]) => regions.test(region))?.[1] ?? 'amazonaws.com'
  return `${account}.dkr.ecr.${region}.${suffix}/ipinsights:1`
}

/** A known neighbour, else one whose name begins alike. */
function nearestTo(region: string): string {
  const words = region.split('-')
  const alike = [2, 1].flatMap((length) => {
    const begin = `${words.slice(0, length).join('-')}-`
    return imageRegions.find((known) => known.startsWith(begin)) ?? []
  })
  return NEIGHBOURS[region] ?? alike[0] ?? 'us-east-1'
}
