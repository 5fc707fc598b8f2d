import { blobContainer } from '../types.bicep'

// Apart from the topic and last of all: roles take up to minutes to work, and an event that meets a queue which
// still refuses it (403) is not tried again but goes to the undelivered ones at once.

@description('Name of the topic.')
param topicName string
@description('Account whose blobs are watched.')
param storageName string
@description('Namespace that receives events.')
param busName string
@description('Containers whose writes are told, with their queues.')
param sources blobContainer[]
@description('Container of events that could not be delivered.')
param undeliveredContainer string

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: storageName }

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: busName

  resource queue 'queues' existing = [for source in sources: { name: source.events! }]
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for (source, i) in sources: {
    parent: topic
    name: source.events!
    properties: {
      deliveryWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        destination: { endpointType: 'ServiceBusQueue', properties: { resourceId: bus::queue[i].id } }
      }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: { resourceId: account.id, blobContainerName: undeliveredContainer }
        }
      }
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated']
        subjectBeginsWith: '/blobServices/default/containers/${source.name}/blobs/'
        isSubjectCaseSensitive: true
      }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    }
  }
]
