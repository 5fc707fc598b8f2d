using '../resources.bicep'

param environmentName = 'option'
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param scaleOnQueueLength = true
