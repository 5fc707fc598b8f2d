import { blobContainer, roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the topic.')
param name string
@description('Account whose blobs are watched.')
param storageName string
@description('Namespace that receives events.')
param busName string
@description('Containers whose writes are told, with their queues.')
param sources blobContainer[]
@description('Container of events that could not be delivered.')
param undeliveredContainer string
@description('Name of the Log Analytics workspace.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource undelivered 'containers' existing = { name: undeliveredContainer }
  }
}

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: busName

  resource queue 'queues' existing = [for source in sources: { name: source.events! }]
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { source: account.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

resource topicSends 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (source, i) in sources: {
    name: guid(bus.id, source.events!, topic.id, roles.serviceBusSender)
    scope: bus::queue[i]
    properties: {
      principalId: topic.identity.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusSender)
    }
  }
]

resource topicKeepsUndelivered 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, undeliveredContainer, topic.id, roles.blobDataContributor)
  scope: account::blobs::undelivered
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: topic
  properties: { workspaceId: workspace.id, logs: [{ category: 'DeliveryFailures', enabled: true }] }
}
