@export()
@description('Names of resources by what they are for. The suffix makes them unique: always the same for one group and environment.')
func resourceNames(suffix string) names => {
  actionGroup: 'ag-${suffix}'
  app: 'func-${suffix}'
  appIdentity: 'id-app-${suffix}'
  bus: 'sb-${suffix}'
  cosmos: 'cosmos-${suffix}'
  dataStorage: 'stdata${suffix}'
  hostStorage: 'sthost${suffix}'
  insights: 'appi-${suffix}'
  jobs: 'cae-${suffix}'
  machineLearning: 'mlw-${suffix}'
  machineLearningIdentity: 'id-ml-${suffix}'
  machineLearningStorage: 'stml${suffix}'
  plan: 'plan-${suffix}'
  puller: 'id-pull-${suffix}'
  registry: 'cr${suffix}'
  topic: 'evgt-${suffix}'
  vault: 'kv-${suffix}'
  workspace: 'log-${suffix}'
}

@description('Names of resources by what they are for.')
type names = {
  @description('Name of a resource.')
  *: string
}
