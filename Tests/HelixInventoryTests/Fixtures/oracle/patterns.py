"""Prints which hosts Ansible selects for each pattern of a file."""
import sys

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

inventory = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])
for pattern in open(sys.argv[2], encoding="utf-8").read().splitlines():
    try:
        hosts = [host.name for host in inventory.get_hosts(pattern)]
    except Exception:
        hosts = []
    print(pattern, "=", " ".join(hosts))
