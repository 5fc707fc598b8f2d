import { operator, roles, tags as Tags } from '../types.bicep'

// The functions host wants to own its account (locks, keys, packages), so scans are in another one.

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string
@description('Container of the deployed packages.')
param packageContainer string
@description('Container of the packages that were deployed last.')
param releaseContainer string
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the identity of the function app.')
param appName string
@description('Principal of the function app.')
param appPrincipalId string
@description('People and pipelines that deploy.')
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
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: { deleteRetentionPolicy: { enabled: true, days: 7 } }

    resource packages 'containers' = {
      name: packageContainer
      properties: { publicAccess: 'None' }
    }

    resource releases 'containers' = {
      name: releaseContainer
      properties: { publicAccess: 'None' }
    }
  }
}

resource appRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.blobDataOwner, roles.tableDataContributor]: {
    name: guid(account.id, appName, role)
    scope: account
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource operatorsKeepReleases 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in operators: {
    name: guid(account::blobs::releases.id, person.id, roles.blobDataContributor)
    scope: account::blobs::releases
    properties: {
      principalId: person.id
      principalType: person.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: account::blobs
  properties: { workspaceId: workspace.id, logs: [{ category: 'StorageDelete', enabled: true }] }
}

@description('Address of the packages that were deployed last.')
output releasesUri string = '${account.properties.primaryEndpoints.blob}${releaseContainer}'
