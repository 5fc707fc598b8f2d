/** Adds the kind, and how the simulator's models of it answer. To be imported before what makes schemas of the kinds. */
import { kinds } from '../../../shared/task/task.ts';
import { luck, simulatedKinds } from '../../simulation/kinds.ts';
import { regression } from './regression.ts';

kinds.set(regression.name, regression);
simulatedKinds.set(regression.name, {
  review: ({ truth }) => ({ value: Number(truth) }),
  answer({ accuracy, seed }, [number = 0, , truth = 0]) {
    const error = (1 - accuracy) * (luck(number, seed) - 0.5);
    return { value: { data: Float32Array.of(truth + error), dims: [1] } };
  },
  keep: (answer) => ({ value: answer['value']?.data[0] }),
});
