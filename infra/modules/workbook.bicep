import { tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name that people see.')
param displayName string
@description('Name of Application Insights.')
param insightsName string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insights.id, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: insights.id
    serializedData: string(loadJsonContent('../workbook.json'))
    version: '1.0'
  }
}
