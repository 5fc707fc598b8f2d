import { cosmosRoles, documentContainer, operator, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the account.')
param name string
@description('Name of the database.')
param databaseName string
@description('Containers, as the code declares them.')
param containers documentContainer[]
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the identity of the function app.')
param appName string
@description('Principal of the function app.')
param appPrincipalId string
@description('People who operate this environment.')
param operators operator[]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: [{ name: 'EnableServerless' }]
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
    // compare-and-swap decides everything; a stale read would only cost another try, but a person would see old state
    consistencyPolicy: { defaultConsistencyLevel: 'Strong' }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
  }

  resource database 'sqlDatabases' = {
    name: databaseName
    properties: { resource: { id: databaseName } }

    resource container 'containers' = [
      for container in containers: {
        name: container.name
        properties: {
          resource: union(
            {
              id: container.name
              partitionKey: { paths: [container.partitionKey], kind: 'Hash', version: 2 }
              indexingPolicy: {
                indexingMode: 'consistent'
                automatic: true
                includedPaths: map(
                  concat(['pk'], container.indexed),
                  field => { path: '/${replace(field, '.', '/')}/?' }
                )
                excludedPaths: [{ path: '/*' }]
                compositeIndexes: map(container.orders, field => [
                  { path: '/${field}', order: 'ascending' }
                  { path: '/id', order: 'ascending' }
                ])
              }
            },
            container.?ttlSeconds == null ? {} : { defaultTtl: container.ttlSeconds! }
          )
        }
      }
    ]
  }

  // One after another and after every container: Cosmos DB answers 412 to a role that is assigned while it is at work
  // on something else of the account.
  resource appWrites 'sqlRoleAssignments' = {
    name: guid(account.id, appName, cosmosRoles.dataContributor)
    properties: {
      principalId: appPrincipalId
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/${cosmosRoles.dataContributor}'
      scope: '${account.id}/dbs/${databaseName}'
    }
    dependsOn: [database::container]
  }

  @batchSize(1)
  resource operatorsRead 'sqlRoleAssignments' = [
    for person in operators: {
      name: guid(account.id, person.id, cosmosRoles.dataReader)
      properties: {
        principalId: person.id
        roleDefinitionId: '${account.id}/sqlRoleDefinitions/${cosmosRoles.dataReader}'
        scope: '${account.id}/dbs/${databaseName}'
      }
      dependsOn: [appWrites]
    }
  ]

  // who operates an environment makes its first API key
  @batchSize(1)
  resource operatorsMakeKeys 'sqlRoleAssignments' = [
    for person in operators: {
      name: guid(account.id, 'keys', person.id, cosmosRoles.dataContributor)
      properties: {
        principalId: person.id
        roleDefinitionId: '${account.id}/sqlRoleDefinitions/${cosmosRoles.dataContributor}'
        scope: '${account.id}/dbs/${databaseName}/colls/keys'
      }
      dependsOn: [operatorsRead]
    }
  ]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: account
  properties: {
    workspaceId: workspace.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ category: 'ControlPlaneRequests', enabled: true }]
  }
}
