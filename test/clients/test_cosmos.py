"""azure-cosmos looks into the local documents as into Azure's."""

import os
import unittest
import uuid

from azure.core import MatchConditions
from azure.cosmos import CosmosClient, exceptions

COUNT = 25


class Cosmos(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        client = CosmosClient(os.environ["COSMOS__accountEndpoint"], os.environ["COSMOS__accountKey"])
        cls.database = client.get_database_client(os.environ["COSMOS_DATABASE"])
        cls.events = cls.database.get_container_client("events")
        cls.tag = uuid.uuid4().hex
        for number in range(COUNT):
            names = {"id": f"{cls.tag}-{number:02}", "pk": f"{cls.tag}-{number % 3}", "tag": cls.tag}
            cls.events.create_item({**names, "n": number, "at": f"2026-01-01T00:00:{number:02}Z"})

    def query(self, text, **options):
        parameters = [{"name": "@tag", "value": self.tag}]
        return list(self.events.query_items(text, parameters=parameters, **options))

    def test_containers_are_listed(self):
        self.assertIn("samples", [container["id"] for container in self.database.list_containers()])

    def test_queries_over_all_partitions_are_paged_counted_and_ordered(self):
        everywhere = {"enable_cross_partition_query": True, "max_item_count": 4}
        self.assertEqual(20, len(self.query("SELECT * FROM c WHERE c.tag = @tag AND c.n >= 5", **everywhere)))
        self.assertEqual([COUNT], self.query("SELECT VALUE COUNT(1) FROM c WHERE c.tag = @tag", **everywhere))
        newest = self.query("SELECT TOP 3 VALUE c.n FROM c WHERE c.tag = @tag ORDER BY c.at DESC", **everywhere)
        self.assertEqual([24, 23, 22], newest)

    def test_a_partition_is_queried_alone(self):
        found = self.query("SELECT VALUE c.n FROM c WHERE c.tag = @tag", partition_key=f"{self.tag}-1")
        self.assertEqual(list(range(1, COUNT, 3)), sorted(found))

    def test_a_document_is_replaced_only_as_it_was_read(self):
        document = self.events.read_item(f"{self.tag}-01", f"{self.tag}-1")
        as_read = {"etag": document["_etag"], "match_condition": MatchConditions.IfNotModified}
        self.events.replace_item(document, {**document, "n": 1}, **as_read)
        with self.assertRaises(exceptions.CosmosAccessConditionFailedError):
            self.events.replace_item(document, {**document, "n": 2}, **as_read)
        self.assertEqual(1, self.events.read_item(document["id"], document["pk"])["n"])

    def test_documents_are_created_once_patched_and_deleted(self):
        document = {"id": f"{self.tag}-own", "pk": self.tag}
        created = self.events.create_item(document)
        with self.assertRaises(exceptions.CosmosResourceExistsError):
            self.events.create_item(document)
        patched = self.events.patch_item(document["id"], self.tag, [{"op": "add", "path": "/x", "value": 1}])
        self.assertEqual(1, patched["x"])
        self.events.delete_item(created, self.tag)
        with self.assertRaises(exceptions.CosmosResourceNotFoundError):
            self.events.read_item(document["id"], self.tag)

    def test_a_batch_is_kept_whole(self):
        batch = [("create", ({"id": f"{self.tag}-b{i}", "pk": self.tag},)) for i in range(2)]
        self.assertEqual([201, 201], [one["statusCode"] for one in self.events.execute_item_batch(batch, self.tag)])

    def test_a_wrong_key_is_refused(self):
        with self.assertRaises(exceptions.CosmosHttpResponseError) as refused:
            CosmosClient(os.environ["COSMOS__accountEndpoint"], "d3Jvbmc=").get_database_account()
        self.assertEqual(401, refused.exception.status_code)


if __name__ == "__main__":
    unittest.main()
