import { queue as Queue, roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the namespace.')
param name string
@description('Tier. Nothing beyond Basic is used; Standard takes more connections, Premium more messages.')
param tier string
@description('Queues, as the code declares them.')
param queues Queue[]
@description('Let the platform see how long a queue is, so that it adds instances for all that waits and not one by one.')
param scaleOnQueueLength bool
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the identity of the function app.')
param appName string
@description('Principal of the function app.')
param appPrincipalId string

@description('What the function app does on each queue: handlers receive, and others send; replay sends to all. The length of a queue is shown to its owner alone, who may also change the queue.')
var rights = scaleOnQueueLength ? [roles.serviceBusOwner] : [roles.serviceBusReceiver, roles.serviceBusSender]
@description('Each right on each queue.')
var grants = flatten(map(queues, (queue, i) => map(rights, role => { queue: queue.name, index: i, role: role })))

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: tier == 'Premium' ? { name: tier, tier: tier, capacity: 1 } : { name: tier, tier: tier }
  properties: { disableLocalAuth: true, minimumTlsVersion: '1.2' }

  resource queue 'queues' = [
    for queue in queues: {
      name: queue.name
      properties: {
        lockDuration: 'PT${queue.lockSeconds}S'
        maxDeliveryCount: queue.maxDeliveryCount
        // the longest that Basic knows
        defaultMessageTimeToLive: 'P14D'
        deadLetteringOnMessageExpiration: true
        requiresSession: false
        requiresDuplicateDetection: false
        enablePartitioning: false
      }
    }
  ]
}

resource appRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(bus.id, grant.queue, appName, grant.role)
    scope: bus::queue[grant.index]
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: bus
  properties: { workspaceId: workspace.id, logs: [{ category: 'OperationalLogs', enabled: true }] }
}
