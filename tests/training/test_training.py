"""Promises of the trainer. Run: python3 -m unittest discover tests/training"""

import contextlib
import hashlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src" / "training"), str(Path(__file__).resolve().parent)]

import toy  # noqa: E402
import train  # noqa: E402
from edgetrain import crops, detector, export, frames, geometry, measures, networks, weak  # noqa: E402


def run(*words):
    """Exit code, standard output and standard error of train.py."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            code = train.main([str(w) for w in words])
        except SystemExit as stopped:
            code = stopped.code
    return code, out.getvalue(), error.getvalue()


class Geometry(unittest.TestCase):
    def test_a_crop_samples_where_opencv_resize_would(self):
        picture = np.random.default_rng(1).integers(0, 255, (120, 120, 3)).astype(np.uint8)
        expected = cv2.resize(picture[20:100, 10:90], (64, 64), interpolation=cv2.INTER_LINEAR)
        found = geometry.crop_part(picture, (10, 20, 90, 100), 0.0, 64)
        # Only the cut's own rim differs: there resize repeats the edge and a crop sees the neighbouring pixel.
        self.assertLessEqual(int(np.abs(expected.astype(int) - found)[1:-1, 1:-1].max()), 1)

    def test_a_training_view_without_change_is_the_devices_crop(self):
        picture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 255, (90, 90, 3)).astype(np.uint8), (5, 5), 2)
        expected = geometry.crop_part(picture, (15, 15, 75, 75), 0.1, 48)
        found = geometry.sample_square(picture, 45, 45, 72, 48)
        self.assertLessEqual(int(np.abs(expected.astype(int) - found).max()), 2)

    def test_beyond_the_picture_the_edge_repeats(self):
        picture = np.full((40, 40, 3), 7, np.uint8)
        self.assertTrue((geometry.crop_part(picture, (-30, -30, 20, 20), 0.3, 32) == 7).all())

    def test_a_box_through_the_letterbox_comes_back(self):
        _, placement = geometry.letterbox(np.zeros((480, 640, 3), np.uint8), 160, 160)
        self.assertEqual(placement, (0.25, 0, 20))
        back = detector.to_picture([[10, 30, 50, 70]], placement, 640, 480)
        np.testing.assert_allclose(back, [[40, 40, 200, 200]])

    def test_suppression_keeps_the_best_of_two_that_overlap(self):
        boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], float)
        self.assertEqual(geometry.suppress(boxes, [0.6, 0.9, 0.7], 0.5), [1, 2])


class Measures(unittest.TestCase):
    def test_wilson_interval_of_no_event_is_not_zero(self):
        low, high = measures.wilson(0, 100)
        self.assertEqual(low, 0)
        self.assertAlmostEqual(high, 0.0370, places=4)

    def test_threshold_lies_in_the_middle_of_the_widest_gap(self):
        scores = np.array([0.01, 0.02, 0.1, 0.9, 0.98])
        defective = np.array([False, False, False, True, True])
        self.assertAlmostEqual(measures.choose_threshold(scores, defective, 1), 0.5, places=2)
        # A costly miss moves it towards the good side, and never beyond the gap.
        self.assertAlmostEqual(measures.choose_threshold(scores, defective, 5), 0.309, places=2)
        self.assertGreater(measures.choose_threshold(scores, defective, 1e6), 0.1)

    def test_a_missed_defect_weighs_more_than_a_good_part(self):
        scores = np.array([0.1, 0.2, 0.4, 0.5, 0.9])
        defective = np.array([False, False, True, False, True])
        self.assertLess(measures.choose_threshold(scores, defective, 5), 0.4)
        self.assertGreater(measures.choose_threshold(scores, defective, 0.2), 0.5)

    def test_always_pass_misses_every_defect(self):
        rates = measures.verdict_rates(np.zeros(4), np.array([True, False, True, False]), 0.5)
        self.assertEqual(rates["missedDefects"]["rate"], 1)
        self.assertEqual(rates["goodRejected"]["rate"], 0)


class Splits(unittest.TestCase):
    def test_near_duplicates_and_turned_copies_share_a_group(self):
        rng = np.random.default_rng(3)
        first, second = (cv2.resize(rng.integers(0, 255, (8, 8)).astype(np.uint8), (64, 64)) for _ in range(2))
        pictures = [first, np.rot90(first).copy(), cv2.add(first, 1), second, second[:, ::-1].copy()]
        found = crops.group_crops(crops.Crops(["ok"], pictures, np.zeros(5, int), [f"ok/{i}" for i in range(5)], 1))
        self.assertEqual([found[0] == f for f in found], [True, True, True, False, False])
        self.assertEqual(found[3], found[4])

    def test_pictures_named_by_one_part_share_a_group(self):
        rng = np.random.default_rng(4)
        pictures = [rng.integers(0, 255, (32, 32)).astype(np.uint8) for _ in range(3)]
        found = crops.group_crops(crops.Crops(
            ["ok"], pictures, np.zeros(3, int), ["ok/part-7-a.png", "ok/part-8-a.png", "ok/part-7-b.png"], 1), 0.1)
        self.assertEqual(found[0], found[2])
        self.assertNotEqual(found[0], found[1])

    def test_crops_of_a_simulated_line_are_grouped_by_part_alone(self):
        same = np.zeros((32, 32), np.uint8)
        found = crops.group_crops(crops.Crops(
            ["ok"], [same] * 3, np.zeros(3, int), ["ok/000007-000001.jpg", "ok/000007-000002.jpg",
                                                   "ok/000008-000002.jpg"], 1.5))
        self.assertEqual(found.tolist(), [0, 0, 1])

    def test_no_group_straddles_a_split_and_nothing_is_lost(self):
        rng = np.random.default_rng(5)
        groups, labels = rng.integers(0, 60, 300), rng.integers(0, 2, 300)
        parts = crops.split_groups(labels, groups, (0.15, 0.12), 1)
        self.assertEqual(sorted(np.concatenate(parts).tolist()), list(range(300)))
        seen = [set(groups[p]) for p in parts]
        self.assertFalse(seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
        self.assertGreater(len(parts[0]), 20)

    def test_neighbouring_frames_stay_together(self):
        test, validation, rest = frames.split_frames(400, (0.15, 0.1), 1)
        self.assertEqual(len(test) + len(validation) + len(rest), 400)
        self.assertFalse(set(test // 10) & set(rest // 10))


class Networks(unittest.TestCase):
    def test_folding_the_normalisation_changes_nothing(self):
        torch.manual_seed(1)
        for network in (networks.Classifier(3, (8, 12, 16)), networks.Detector(1, (4, 8, 12))):
            for _ in range(3):
                network(torch.rand(4, 3, 64, 64))
            network.eval()
            x = torch.rand(2, 3, 64, 64)
            with torch.no_grad():
                before = network(x)
                after = networks.fold_batch_norm(network)(x)
            self.assertFalse(any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules()))
            for first, second in zip(before, after):
                torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)

    def test_the_exported_detector_has_the_yolov8_layout_within_the_picture(self):
        torch.manual_seed(2)
        exported = networks.DetectorExport(networks.Detector(2, (4, 8, 12)), 160, 120).eval()
        with torch.no_grad():
            out = exported(torch.rand(1, 3, 120, 160))
        self.assertEqual(tuple(out.shape), (1, 6, 300))
        x2, y2 = out[0, 0] + out[0, 2] / 2, out[0, 1] + out[0, 3] / 2
        self.assertLessEqual(float(x2.max()), 160.001)
        self.assertLessEqual(float(y2.max()), 120.001)

    def test_targets_decode_to_the_boxes_they_were_made_of(self):
        plan = detector.DetectorPlan()
        boxes = np.array([[10, 20, 42, 50], [42, 22, 74, 52], [130, 80, 160, 104]], float)  # the first two touch
        heat, sides, _, _ = detector.targets(boxes, np.zeros(3, int), [], plan, 1)

        class Perfect(torch.nn.Module):
            stride = 8

            def forward(self, x):
                return torch.logit(torch.from_numpy(heat[None]).clamp(1e-4, 0.999)), torch.from_numpy(sides[None])

        output = networks.DetectorExport(Perfect(), plan.width, plan.height)(None)[0].numpy()
        found, scores, _ = detector.decode(output, 0.5, 0.5)
        self.assertEqual(len(found), 3)
        self.assertGreater(geometry.iou(boxes, found).max(1).min(), 0.99)

    def test_an_ignored_box_is_neither_part_nor_background(self):
        plan = detector.DetectorPlan()
        heat, _, _, judged = detector.targets([[10, 20, 42, 50]], [0], [[36, 20, 60, 50]], plan, 1)
        self.assertEqual(judged[4, 6], 0)
        self.assertEqual(judged[4, 3], 1)
        self.assertEqual(judged[10, 15], 1)
        pairs, false = detector.match(np.array([[38, 22, 58, 48], [100, 80, 120, 100]], float), [0.9, 0.8],
                                      np.zeros((0, 4)), [[36, 20, 60, 50]])
        self.assertEqual((pairs, false), ([], 1))

    def test_a_false_export_is_refused(self):
        torch.manual_seed(3)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.onnx"
            classifier = networks.Classifier(2, (4, 8, 8))
            classifier(torch.rand(4, 3, 32, 32))  # fills the statistics: equal weights would be shared in the file
            network = networks.Probabilities(classifier).eval()
            folded = export.export(network, (3, 32, 32), path, True)
            x = np.random.default_rng(1).random((2, 3, 32, 32), np.float32)
            self.assertLess(export.check_parity(folded, path, x)["largestDifference"], 1e-4)
            folded.classifier.head.bias.data += torch.tensor([0.0, 1.0])
            with self.assertRaisesRegex(export.TrainingError, "differ"):
                export.check_parity(folded, path, x)


class EndToEnd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.place.name)
        toy.write_frames(cls.folder / "data" / "frames", 120)
        toy.write_crops(cls.folder / "data" / "crops", 40)
        cls.words = ("package", "--frames", cls.folder / "data" / "frames", "--crops", cls.folder / "data" / "crops",
                     "--name", "discs", "--epochs", 8, "--detector-epochs", 14, "--patience", 20, "--threads", 1,
                     "--widths", "8,16,24", "--input", 32, "--detector-input", "80x64", "--duplicate-distance", 0,
                     "--goldens", 3, "--batch", 8)
        cls.code, cls.out, cls.error = run(*cls.words, "--out", cls.folder / "package")

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def test_the_package_has_the_manifest_the_device_expects(self):
        self.assertEqual((self.code, self.error), (0, ""))
        package = self.folder / "package"
        manifest = json.loads((package / "manifest.json").read_text())
        self.assertEqual(manifest["schema"], "edge-inspector.package/1")
        for stage, size in (("detector", (80, 64)), ("classifier", (32, 32))):
            part = manifest[stage]
            self.assertEqual(part["sha256"], hashlib.sha256((package / part["file"]).read_bytes()).hexdigest())
            self.assertEqual((part["input"]["width"], part["input"]["height"]), size)
            self.assertEqual(set(part["input"]),
                             {"width", "height", "channels", "mean", "std", "fit", "pad"})
        self.assertEqual(manifest["classifier"]["labels"], ["good", "burnt", "hole"])
        self.assertEqual(manifest["classifier"]["good"], ["good"])
        self.assertEqual(manifest["tolerance"], {"score": 0.02, "pixels": 2.0})
        self.assertEqual(len(manifest["golden"]), 3)
        for golden in manifest["golden"]:
            self.assertIsNotNone(cv2.imread(str(package / golden["picture"])))
            for part in golden["parts"]:
                self.assertEqual(set(part), {"box", "score", "label", "defectScore"})
        for picture in ("learning-curves.png", "failures.png"):
            self.assertIsNotNone(cv2.imread(str(package / picture)))

    def test_it_learns_and_states_its_rates_beside_the_baselines(self):
        metrics = json.loads((self.folder / "package" / "metrics.json").read_text())
        judged = metrics["classifier"]
        self.assertLess(judged["test"]["missedDefects"]["rate"], 0.3)
        self.assertEqual(judged["baselines"]["alwaysPass"]["missedDefects"]["rate"], 1)
        self.assertIn("defect when", judged["baselines"]["pictureRule"]["rule"])
        self.assertIn("of defects get through", judged["statement"])
        self.assertGreater(metrics["detector"]["recall"]["rate"], 0.7)
        for stage in ("detector", "classifier"):
            self.assertLessEqual(metrics[stage]["parity"]["largestDifference"], 1e-4)
        self.assertIn("to go", self.out)

    def test_the_same_seed_gives_the_same_package(self):
        code, _, _ = run(*self.words, "--out", self.folder / "again")
        self.assertEqual(code, 0)
        for name in ("detector.onnx", "classifier.onnx", "manifest.json"):
            self.assertEqual((self.folder / "package" / name).read_bytes(),
                             (self.folder / "again" / name).read_bytes(), name)

    def test_photographs_of_whole_parts_make_a_classifier_alone(self):
        toy.write_crops(self.folder / "photographs", 16, context=1.02, kinds=("good", "hole"))
        (self.folder / "photographs" / "good").rename(self.folder / "photographs" / "ok")
        code, _, error = run("package", "--crops", self.folder / "photographs", "--name", "photo", "--out",
                             self.folder / "photo", "--epochs", 2, "--widths", "8,12", "--input", 32, "--threads", 1,
                             "--crop-margin", -0.04, "--duplicate-distance", 0, "--batch", 8)
        self.assertEqual((code, error), (0, ""))
        manifest = json.loads((self.folder / "photo" / "manifest.json").read_text())
        self.assertNotIn("detector", manifest)
        self.assertEqual(manifest["classifier"]["good"], ["ok"])
        self.assertEqual(manifest["golden"][0]["parts"][0]["box"], [0, 0, 96, 96])
        code, out, error = run("evaluate", self.folder / "photo", "--crops", self.folder / "photographs",
                               "--crop-context", 1)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("verdicts wrong", out)


class Faults(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)

    def refused(self, *words):
        code, _, error = run(*words)
        self.assertNotEqual(code, 0)
        self.assertEqual(len(error.strip().splitlines()), 1, error)
        self.assertFalse((self.folder / "out").exists())
        return error

    def test_each_fault_is_one_line_that_names_it(self):
        out = ("--name", "x", "--out", self.folder / "out")
        self.assertIn("--frames, --crops", self.refused("package", *out))
        self.assertIn("nowhere", self.refused("package", "--crops", self.folder / "nowhere", *out))
        (self.folder / "crops" / "good").mkdir(parents=True)
        self.assertIn("at least two", self.refused("package", "--crops", self.folder / "crops", *out))
        self.assertIn("COCO", self.refused("package", "--frames", self.folder / "crops", *out))
        toy.write_crops(self.folder / "more", 3, kinds=("good", "hole"))
        (self.folder / "more" / "hole" / "empty.png").touch()
        self.assertIn("empty.png", self.refused("package", "--crops", self.folder / "more", *out))
        self.assertIn("fine", self.refused("package", "--crops", self.folder / "more", "--good", "fine", *out))

    def test_a_foreign_folder_is_never_replaced(self):
        toy.write_crops(self.folder / "crops", 3, kinds=("good", "hole"))
        code, _, error = run("package", "--crops", self.folder / "crops", "--name", "x", "--out",
                             self.folder / "crops")
        self.assertNotEqual(code, 0)
        self.assertIn("not a model package", error)
        self.assertTrue((self.folder / "crops" / "good").is_dir())


class WeakLabels(unittest.TestCase):
    def test_boxes_follow_the_colour_and_not_the_specks(self):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            writer = cv2.VideoWriter(str(folder / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (160, 120))
            for index in range(6):
                picture = np.full((120, 160, 3), 90, np.uint8)
                cv2.rectangle(picture, (20 + 10 * index, 40), (59 + 10 * index, 69), (20, 220, 230), -1)
                cv2.circle(picture, (140, 20), 2, (20, 220, 230), -1)
                writer.write(picture)
            writer.release()
            code, _, error = run("weak-label", folder / "v.avi", "--colour-range", "20,80,90-38,255,255", "--out",
                                 folder / "out", "--label", "pouch")
            self.assertEqual((code, error), (0, ""))
            _, content = frames.annotation_file(folder / "out" / "frames")
            self.assertEqual(len(content["annotations"]), 6)
            np.testing.assert_allclose(content["annotations"][2]["bbox"], [40, 40, 40, 30], atol=3)
            code, _, error = run("weak-label", folder / "none.mp4", "--colour-range", "1,1,1-2,2,2", "--out",
                                 folder / "other")
            self.assertEqual(code, 1)
            self.assertIn("none.mp4", error)

    def test_a_range_may_wrap_around_red(self):
        picture = np.full((60, 60, 3), 90, np.uint8)
        picture[10:30, 10:40] = (20, 20, 230)
        rule = weak.colour_rule("170,100,100-10,255,255")
        np.testing.assert_allclose(weak.boxes_by_colour(picture, rule), [[10, 10, 40, 30]], atol=1)


if __name__ == "__main__":
    unittest.main()
