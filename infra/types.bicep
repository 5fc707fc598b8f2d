@export()
@description('A queue, as the code declares it.')
type queue = {
  @description('Name.')
  @minLength(1)
  @maxLength(50)
  name: string
  @description('How long a message stays locked for its receiver.')
  @minValue(5)
  @maxValue(300)
  lockSeconds: int
  @description('Deliveries before a message is dead-lettered.')
  @minValue(1)
  @maxValue(2000)
  maxDeliveryCount: int
}

@export()
@description('A blob container, as the code declares it.')
type blobContainer = {
  @description('Name.')
  @minLength(3)
  @maxLength(63)
  name: string
  @description('Queue that gets an event for every finished write; null: none.')
  events: string?
  @description('Days after its last write at which a blob is deleted; null: never.')
  @minValue(1)
  expiresAfterDays: int?
}

@export()
@description('A container of documents, as the code declares it.')
type documentContainer = {
  @description('Name.')
  @minLength(1)
  @maxLength(255)
  name: string
  @description('Path of the partition key. It can never be changed.')
  partitionKey: '/pk'
  @description('Default time to live; null: documents stay.')
  @minValue(1)
  ttlSeconds: int?
  @description('Fields that queries filter or sort by.')
  indexed: string[]
  @description('Fields that listings are ordered by, with the id breaking ties.')
  orders: string[]
}

@export()
@description('Everything that code and templates have to agree on; written by npm run infra:generate.')
type declared = {
  @description('Name of the database.')
  database: string
  @description('Queues of the namespace.')
  queues: queue[]
  @description('Containers of the data account.')
  blobContainers: blobContainer[]
  @description('Containers of the database.')
  documentContainers: documentContainer[]
  @description('Schedule of the only timer, with seconds, in UTC.')
  sweepSchedule: string
  @description('Bytes of the largest request body.')
  @minValue(1)
  maxRequestBytes: int
  @description('Name of the training job.')
  trainerJob: string
}

@export()
@description('A person or group that operates an environment.')
type operator = {
  @description('Object id in Microsoft Entra ID.')
  @minLength(36)
  @maxLength(36)
  id: string
  @description('What the id belongs to.')
  type: 'User' | 'Group' | 'ServicePrincipal'
}

@export()
@description('Tags of every resource.')
type tags = {
  @description('Any tag.')
  *: string
}

@export()
@description('Built-in roles that are assigned here, by id.')
var roles = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  aiAdministrator: 'b78c5d69-af96-48a3-bf8d-a8b4d589de94'
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  blobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  dataScientist: 'f6c7c914-8db3-469d-8ca1-694a8f32e121'
  insightsContributor: 'ae349356-3a1b-4a5e-921d-050484c6347e'
  jobsOperator: 'b9a307c4-5aa3-4b52-ba60-2b17c136cd7b'
  logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  serviceBusOwner: '090c5cfd-751d-490a-894a-3ce6f1109419'
  serviceBusReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  serviceBusSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  storageContributor: '17d1049b-9a84-46fb-8f53-869881c3d3ab'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  vaultAdministrator: '00482a5a-887f-4fb3-b363-3b7fe8e74483'
  vaultContributor: 'f25e0fa2-a7c8-4377-a976-54943a77a395'
  workbookReader: 'b279062a-9be3-42a0-92ae-8b3cf002ec4d'
}

@export()
@description('Data-plane roles of Cosmos DB, by id; every account has them.')
var cosmosRoles = {
  dataReader: '00000000-0000-0000-0000-000000000001'
  dataContributor: '00000000-0000-0000-0000-000000000002'
}
