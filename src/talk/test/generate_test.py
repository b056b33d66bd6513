"""The generator's errors name file, line and remedy; its output is the same each time."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GENERATE = Path(__file__).resolve().parent.parent / "generate.py"
GOOD = "pair a b\nabout X.\nmessage m by a answer n\n\tf u8\nmessage n by b\n"


def run(text, name="a-b.talk"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text)
        done = subprocess.run([sys.executable, GENERATE, "--c", path, "--out", folder], capture_output=True, text=True)
        made = {p.name: p.read_text() for p in Path(folder).glob("a_b*")}
        return done.returncode, done.stderr, made


class Errors(unittest.TestCase):
    def wrong(self, text, line, words, name="a-b.talk"):
        status, err, made = run(text, name)
        self.assertEqual(status, 1, err)
        self.assertIn(f"{name}:{line}: ", err)
        self.assertIn(words, err)
        self.assertEqual(made, {})

    def test_good(self):
        status, err, made = run(GOOD)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(sorted(made), ["a_b.c", "a_b.h", "a_b_fuzz.c", "a_b_test.c"])
        self.assertEqual(run(GOOD)[2], made)

    def test_types(self):
        self.wrong("pair a b\nmessage m by a\n\tf u128\n", 3, 'unknown type "u128"; types are u8')
        self.wrong("pair a b\nmessage m by a\n\tf str\n", 3, "str needs a limit")
        self.wrong("pair a b\nmessage m by a\n\tf str 999999\n", 3, "write a number from 1 to")
        self.wrong("pair a b\nmessage m by a\n\tf list body 9 9\n", 3, "a list of body cannot be")
        self.wrong("pair a b\nmessage m by a\n\tf u8 optional\n", 3, "only a descriptor may be optional")
        self.wrong("pair a b\nrecord r\n\tf fd\nmessage m by a\n", 3, "put it into the message")
        self.wrong("pair a b\nmessage m by a\n\tf enum e\n", 3, "no enum e")
        self.wrong("pair a b\nmessage m by a\n\tf u8 what\n", 3, "a description follows two spaces")
        self.wrong("pair a b\nmessage m by a\n\tregister u8\n", 3, "a word of C")
        self.wrong("pair a b\nmessage m by a\n\tf u8\n\tf u8\n", 4, "has a field f already")
        self.wrong("pair a b\nmessage m by a\n" + "".join(f"\tf{i} fd\n" for i in range(5)), 2, "5 descriptors")

    def test_lines(self):
        self.wrong("pair a b\nmassage m by a\n", 2, 'unknown word "massage"')
        self.wrong("pair a b\nmessage m by a\n  f u8\n", 3, "indent with one tab")
        self.wrong("pair a b\n\tf u8\n", 2, "there is none above")
        self.wrong("pair b a\nmessage m by a\n", 1, "is called b-a.talk")
        self.wrong("pair a b\nabout X.\n", 1, "1 to 64 messages")
        self.wrong("message m by a\n", 1, "messages belong to a pair")
        self.wrong("pair a b\ninclude nowhere.talk\n", 2, "there is no")

    def test_messages(self):
        self.wrong("pair a b\nmessage m by c\n", 2, "the sender is a or b")
        self.wrong("pair a b\nmessage m by a in s\n", 2, "there is no state s")
        self.wrong("pair a b\nmessage m by a answer n\n", 2, "there is no message n")
        self.wrong("pair a b\nmessage m by a answer n\nmessage n by a\n", 2, "the other side must answer")
        self.wrong("pair a b\nmessage m by a answer n\nmessage n by b once\n", 3, "permitted whenever its call was")
        self.wrong("pair a b\nmessage m by a\nmessage m by b\n", 3, "there is a message m already")
        self.wrong("pair a b\nmessage m by a soon\n", 2, '"soon" is not understood')
        self.wrong("pair a b\nenum e\nmessage m by a\n", 2, "different values")


if __name__ == "__main__":
    unittest.main()
