/** Where serverless endpoints are offered: "Deploy models with Amazon SageMaker Serverless Inference", developer guide, 2026. */
const REGIONS = [
  'af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1',
  'eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2',
].flatMap((line) => line.split(' '))

export const offersServerless = (region: string): boolean => REGIONS.includes(region)
