import { blobContainer, operator, roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string
@description('Containers, as the code declares them.')
param containers blobContainer[]
@description('Days for which a deleted blob can be brought back. Erased scans exist as long.')
param softDeleteDays int
@description('Origins of web pages that upload and read blobs in a browser (https://scans.example.com); empty: none.')
param allowedOrigins string[]
@description('Log who reads a scan, not only who writes and deletes.')
param auditReads bool
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the identity of the function app.')
param appName string
@description('Principal of the function app.')
param appPrincipalId string
@description('People who operate this environment.')
param operators operator[]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
      containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
      // versions would keep erased scans beyond the days above
      isVersioningEnabled: false
      cors: {
        corsRules: empty(allowedOrigins)
          ? []
          : [
              {
                allowedOrigins: allowedOrigins
                // what an upload address and a read address are for
                allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT']
                allowedHeaders: ['content-type', 'if-none-match', 'x-ms-*']
                exposedHeaders: ['etag', 'x-ms-*']
                maxAgeInSeconds: 3600
              }
            ]
      }
    }

    resource container 'containers' = [
      for container in containers: { name: container.name, properties: { publicAccess: 'None' } }
    ]
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          for container in filter(containers, one => one.?expiresAfterDays != null): {
            name: 'expire-${container.name}'
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['${container.name}/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: container.expiresAfterDays! } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource appWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in containers: {
    name: guid(account.id, container.name, appName, roles.blobDataContributor)
    scope: account::blobs::container[i]
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
    }
  }
]

resource appSigns 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appName, roles.blobDelegator)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDelegator)
  }
}

resource operatorsRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in operators: {
    name: guid(account.id, person.id, roles.blobDataReader)
    scope: account
    properties: {
      principalId: person.id
      principalType: person.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataReader)
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: account::blobs
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'StorageRead', enabled: auditReads }
      { category: 'StorageWrite', enabled: auditReads }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
