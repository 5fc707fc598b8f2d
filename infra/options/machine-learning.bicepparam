using '../resources.bicep'

param environmentName = 'option'
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param machineLearning = 't4'
param withRegistry = true
