import { roles, tags as Tags } from '../types.bicep'

// A workspace of Azure Machine Learning with a cluster that scales to zero, for projects with trainer.compute azure-ml. It
// wants an account and a key vault of its own: neither scans nor models are in them, only what jobs write to their logs.

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the workspace.')
param name string
@description('Name of its account.')
@minLength(3)
@maxLength(24)
param storageName string
@description('Name of its key vault.')
@minLength(3)
@maxLength(24)
param vaultName string
@description('Name of its identity.')
param identityName string
@description('Name of its cluster.')
param clusterName string
@description('Machine of the cluster: cpu, t4 or a100.')
param machine string
@description('Most machines at once.')
param machines int
@description('Training image.')
param image string
@description('Digest in its name.')
param imageDigest string
@description('Pull the image by identity from the registry of this environment; else it is public.')
param withRegistry bool
@description('Name of the identity that pulls from that registry.')
param pullerName string
@description('Application Insights, which a workspace has to name.')
param insightsName string
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the identity of the function app.')
param appName string
@description('Principal that starts jobs.')
param appPrincipalId string

@description('Sizes of machines, by what they train on.')
var sizes = { cpu: 'Standard_DS3_v2', t4: 'Standard_NC4as_T4_v3', a100: 'Standard_NC24ads_A100_v4' }
@description('Days for which logs of jobs are kept, as files of jobs are.')
var logDays = 30

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource puller 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: pullerName }

// one that is assigned by the system would be given a role on the whole resource group, scans and documents with it
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: identityName
  location: location
  tags: tags
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: storageName
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
  }

  resource lifetimes 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'logs'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['azureml/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: logDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
  }
}

resource identityKeepsFiles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.storageContributor, roles.blobDataContributor]: {
    name: guid(account.id, identityName, role)
    scope: account
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource identityKeepsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.vaultContributor, roles.vaultAdministrator]: {
    name: guid(vault.id, identityName, role)
    scope: vault
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource identityUsesInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, identityName, roles.insightsContributor)
  scope: insights
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.insightsContributor)
  }
}

resource machineLearning 'Microsoft.MachineLearningServices/workspaces@2025-12-01' = {
  name: name
  location: location
  tags: tags
  kind: 'Default'
  sku: { name: 'Basic', tier: 'Basic' }
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    friendlyName: name
    storageAccount: account.id
    keyVault: vault.id
    applicationInsights: insights.id
    primaryUserAssignedIdentity: identity.id
    // the account takes no keys
    systemDatastoresAuthMode: 'Identity'
    // high business impact: Microsoft collects less, and disks of machines are encrypted. It can never be changed
    hbiWorkspace: true
    publicNetworkAccess: 'Enabled'
    v1LegacyMode: false
  }
  dependsOn: [identityKeepsFiles, identityKeepsSecrets, identityUsesInsights]

  resource cluster 'computes' = {
    name: clusterName
    location: location
    tags: tags
    // pulls the image; without a registry of our own the machines are nobody
    identity: withRegistry ? { type: 'UserAssigned', userAssignedIdentities: { '${puller.id}': {} } } : { type: 'None' }
    properties: {
      computeType: 'AmlCompute'
      disableLocalAuth: true
      properties: {
        osType: 'Linux'
        vmSize: sizes[machine]
        vmPriority: 'Dedicated'
        remoteLoginPortPublicAccess: 'Disabled'
        scaleSettings: { minNodeCount: 0, maxNodeCount: machines, nodeIdleTimeBeforeScaleDown: 'PT2M' }
      }
    }
    dependsOn: [identityRunsWorkspace]
  }

  resource trainer 'environments' = {
    name: 'trainer'
    properties: { description: 'Image of trainings' }

    // a version can never be changed: that of an image is called as its digest
    resource version 'versions' = {
      name: imageDigest
      properties: { image: image, osType: 'Linux' }
    }
  }
}

resource identityRunsWorkspace 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(machineLearning.id, identityName, roles.aiAdministrator)
  scope: machineLearning
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.aiAdministrator)
  }
}

resource appStartsJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(machineLearning.id, appName, roles.dataScientist)
  scope: machineLearning
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.dataScientist)
  }
}

resource jobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: machineLearning
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'AmlComputeClusterEvent', enabled: true }
      { category: 'AmlComputeJobEvent', enabled: true }
      { category: 'AmlRunStatusChangedEvent', enabled: true }
    ]
  }
}

resource vaultDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: { workspaceId: workspace.id, logs: [{ category: 'AuditEvent', enabled: true }] }
}

resource fileDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: account::blobs
  properties: { workspaceId: workspace.id, logs: [{ category: 'StorageDelete', enabled: true }] }
}
