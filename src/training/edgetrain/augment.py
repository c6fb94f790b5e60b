"""Random changes that a part may undergo on a real line and still be the same part."""

from dataclasses import dataclass

import cv2
import numpy as np

from .geometry import sample_square


@dataclass
class Augmentation:
    """How far each change may go. Lengths are in units of the part's longer side."""

    margin: float                 # the package's cropMargin
    size: int                     # the classifier's input
    rotation: str = "full"        # full, right-angles (plus a few degrees), upright (a few degrees), none
    tilt: float = 5.0             # degrees around the right angle
    shift: float = 0.06           # of the crop's centre: covers the detector's box error
    scale: float = 0.07           # of the crop's side
    squash: float = 0.03          # of its aspect
    gain: float = 0.22            # brightness
    colour: float = 0.05          # per channel
    gamma: float = 0.12
    blur: float = 0.5             # chance of a blur
    noise: float = 5.0            # largest standard deviation, grey levels
    resolution: tuple = (0.5, 1)  # the photograph is first shrunk to this share of its pixels, as the camera would

    def __call__(self, picture, context, rng, strength=1.0):
        """One random view, uint8 BGR of size x size. `strength` scales every range but the symmetries."""
        side = picture.shape[0]
        low, high = self.resolution
        if low < 1 and rng.random() < 0.8:
            side = max(int(round(side * rng.uniform(low, high))), self.size // 2)
            area = cv2.INTER_AREA if rng.random() < 0.3 else cv2.INTER_LINEAR
            picture = cv2.resize(picture, (side, side), interpolation=area)
        part = side / context
        degrees, flip = 0.0, False
        if self.rotation == "full":
            degrees, flip = rng.uniform(0, 360), rng.random() < 0.5
        elif self.rotation != "none":
            degrees = rng.uniform(-self.tilt, self.tilt) * strength
            if self.rotation == "right-angles":
                degrees, flip = degrees + 90 * rng.integers(4), rng.random() < 0.5
        dx, dy = rng.uniform(-self.shift, self.shift, 2) * strength * part
        crop = part * (1 + 2 * self.margin) * (1 + rng.uniform(-self.scale, self.scale) * strength)
        squash = 1 + rng.uniform(-self.squash, self.squash) * strength
        border = None
        if context <= 1.05 and rng.random() < 0.7:
            # Where the whole photograph is the part, what lies beside it is the belt, of any colour.
            shade = rng.integers(15, 240)
            border = tuple(int(v) for v in np.clip(shade + rng.integers(-20, 21, 3), 0, 255))
            if picture.ndim == 2:
                picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        view = sample_square(picture, side / 2 + dx, side / 2 + dy, crop, self.size, degrees, flip,
                             (squash, 1 / squash), border)
        if view.ndim == 2:
            view = cv2.cvtColor(view, cv2.COLOR_GRAY2BGR)
        return self.light(view, rng, strength)

    def light(self, view, rng, strength=1.0):
        """Lamp, lens and sensor: gain, colour, gamma, blur, noise."""
        if rng.random() < self.blur * strength:
            if rng.random() < 0.5:
                view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.3, 0.9))
            else:
                length = rng.uniform(1.0, 3.0)
                kernel = np.zeros((1, 5), np.float32)
                edge = min((length - 1) / 2, 1)
                kernel[0, 1:4] = edge, 1, edge
                kernel /= kernel.sum()
                view = cv2.filter2D(view, -1, kernel if rng.random() < 0.5 else kernel.T,
                                    borderType=cv2.BORDER_REPLICATE)
        gain = (1 + rng.uniform(-self.gain, self.gain) * strength) * (
            1 + rng.uniform(-self.colour, self.colour, 3) * strength)
        gamma = 1 + rng.uniform(-self.gamma, self.gamma) * strength
        offset = rng.uniform(-8, 8) * strength
        table = ((np.arange(256)[:, None] / 255) ** gamma * 255 * gain + offset).clip(0, 255)
        view = cv2.LUT(view, table.reshape(256, 1, 3).astype(np.uint8))
        sigma = rng.uniform(0, self.noise) * strength
        if sigma > 0.5:
            noise = np.empty(view.shape, np.int16)
            cv2.setRNGSeed(int(rng.integers(2 ** 31)))
            cv2.randn(noise, 0, sigma)
            view = np.clip(view + noise, 0, 255).astype(np.uint8)
        return view
