"""azure-storage-blob looks into the local storage as into Azure's."""

import os
import unittest
import uuid

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

MIB = 1024 * 1024


class Blobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        credential = {"account_name": os.environ["BLOB__accountName"], "account_key": os.environ["BLOB__accountKey"]}
        sizes = {"max_block_size": MIB, "max_single_put_size": MIB}
        service = BlobServiceClient(os.environ["BLOB__serviceUri"], credential=credential, **sizes)
        cls.addClassCleanup(service.close)
        cls.container = service.get_container_client("datasets")
        cls.prefix = f"clients-{uuid.uuid4().hex}/"

    def test_a_blob_is_written_once_read_and_listed(self):
        name = self.prefix + "Übung (6).bin"
        self.container.upload_blob(name, b"bytes", metadata={"label": "seven"})
        with self.assertRaises(ResourceExistsError):
            self.container.upload_blob(name, b"others")
        self.assertEqual(b"bytes", self.container.download_blob(name).readall())
        listed = list(self.container.list_blobs(name_starts_with=self.prefix, include=["metadata"]))
        self.assertEqual([(name, {"label": "seven"})], [(blob.name, blob.metadata) for blob in listed])
        self.container.delete_blob(name)

    def test_a_large_blob_in_blocks_is_read_in_ranges(self):
        name = self.prefix + "large.bin"
        blob = self.container.get_blob_client(name)
        content = os.urandom(3 * MIB)
        blob.upload_blob(content)
        self.assertEqual(content[MIB : MIB + 10], blob.download_blob(offset=MIB, length=10).readall())
        self.assertEqual(content, blob.download_blob().readall())
        blob.delete_blob()


if __name__ == "__main__":
    unittest.main()
