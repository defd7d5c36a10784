"""Holds a run file against what is expected of each check. `expect.py RUN.json EXPECTED.txt`; `--write` writes it.

A line is `ID VERDICT`, or `ID VERDICT|VERDICT` where chance decides. A check that no line names must pass or be skipped.
"""
import json
import sys

run, path = json.load(open(sys.argv[1])), sys.argv[2]
found = {check['id']: check['verdict'] for check in run['checks']}
found = {id: verdict if isinstance(verdict, str) else next(iter(verdict)) for id, verdict in found.items()}
if '--write' in sys.argv:
    odd = {id: verdict for id, verdict in found.items() if verdict not in ('pass', 'skipped', 'skip')}
    open(path, 'w').write(''.join(f'{id} {verdict}\n' for id, verdict in odd.items()))
lines = [line.split() for line in open(path) if line.strip() and not line.startswith('#')]
expected = {line[0]: line[1].split('|') for line in lines}
wrong = []
for id, verdict in found.items():
    allowed = expected.pop(id, ['pass', 'skip', 'skipped'])
    if verdict not in allowed:
        wrong.append(f'{id}: {verdict}, expected {" or ".join(allowed)}')
wrong += [f'{id}: not in the run' for id in expected]
passed = sum(verdict == 'pass' for verdict in found.values())
if passed < 20:
    wrong.append(f'only {passed} checks passed')
print('\n'.join(wrong) if wrong else f'  {passed} passed, and every other verdict is as expected')
sys.exit(1 if wrong else 0)
